import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { compare } from '../compare.ts';
import { fillSmall, writeRandom } from '../files.ts';
import { must } from '../must.ts';
import type { BenchOptions } from '../options.ts';
import type { Row } from '../rows.ts';
import type { TlsGround, TlsScenario } from './scenario.ts';
import type { TlsServer, TlsStage } from './server.ts';

/** What is measured and of whom. */
export type TlsSuite = {
  /** Put before the name of each row. */
  readonly name: string;
  readonly scenarios: readonly TlsScenario[];
  /** Ours first; a peer that is not to be had is undefined. */
  readonly servers: readonly ((stage: TlsStage) => Promise<TlsServer | undefined>)[];
};

async function makeCertificate(folder: string): Promise<{ certificate: string; key: string }> {
  const [certificate, key] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')];
  await must('anywhere', 'openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...['-subj', '/CN=bench', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', certificate],
  ]);
  return { certificate, key };
}

async function prepareGround(folder: string, mebibytes: number): Promise<TlsGround> {
  const client = join(folder, 'client');
  const smallFolder = join(client, 'small');
  await fillSmall(smallFolder);
  const largeFile = join(client, 'large');
  await writeRandom(largeFile, mebibytes);
  return { folder, largeFile, largeBytes: mebibytes * 1024 * 1024, smallFolder };
}

async function furnish(server: TlsServer, ground: TlsGround): Promise<void> {
  await mkdir(server.folder, { recursive: true, mode: 0o700 });
  await copyFile(ground.largeFile, join(server.folder, 'large'));
  await fillSmall(join(server.folder, 'small'));
}

/** Measures ours beside its peers over the same suite of TLS. */
export async function runTlsSuite(
  { name: suite, scenarios, servers }: TlsSuite,
  options: BenchOptions,
  progress: (line: string) => void,
): Promise<Row[]> {
  const rows = await compare(
    {
      scenarios,
      async prepare(folder) {
        const stage: TlsStage = { folder, ...(await makeCertificate(folder)), progress };
        return { stage, ground: await prepareGround(folder, options.mebibytes) };
      },
      servers,
      furnish,
      takesPart: ({ peers }, { name }) => peers?.includes(name) ?? true,
      measured: (scenario, ground) => scenario.of(ground),
    },
    options,
    progress,
  );
  return rows.map((row) => ({ ...row, name: `${suite} ${row.name}` }));
}
