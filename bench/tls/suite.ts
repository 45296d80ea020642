import { rmSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { fillSmall, writeRandom } from '../files.ts';
import { measure } from '../measure.ts';
import type { BenchOptions } from '../options.ts';
import type { Row } from '../rows.ts';
import { must } from '../sftp/client.ts';
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

/** Measures ours beside its peers, on one file system, with the same clients and the same suite of TLS. */
export async function runTlsSuite(
  suite: TlsSuite,
  options: BenchOptions,
  progress: (line: string) => void,
): Promise<Row[]> {
  const selected = suite.scenarios.filter(
    ({ id }) => options.rows.length === 0 || options.rows.some((row) => id.startsWith(row)),
  );
  if (selected.length === 0) {
    throw new Error(`no such row; there are ${suite.scenarios.map(({ id }) => id).join(', ')}`);
  }
  const folder = await realpath(await mkdtemp(join(options.folder, 'sallyport-bench-')));
  // A server that gives up its privileges goes through it.
  await chmod(folder, 0o711);
  const clear = () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  process.once('exit', clear);
  const servers: TlsServer[] = [];
  try {
    const stage: TlsStage = { folder, ...(await makeCertificate(folder)), progress };
    const ground = await prepareGround(folder, options.mebibytes);
    for (const start of suite.servers) {
      const server = await start(stage);
      if (!server) continue;
      servers.push(server);
      await furnish(server, ground);
    }
    progress(`servers: ${servers.map(({ name }) => name).join(', ')}; files in ${folder}`);
    const rows: Row[] = [];
    for (const scenario of selected) {
      const taking = servers.filter(
        ({ name }) => name === 'sallyport' || (scenario.peers?.includes(name) ?? true),
      );
      rows.push(...(await measure(scenario.of(ground), taking, options.rounds, progress)));
    }
    return rows.map((row) => ({ ...row, name: `${suite.name} ${row.name}` }));
  } finally {
    for (const server of servers) await server.stop();
    process.removeListener('exit', clear);
    clear();
  }
}
