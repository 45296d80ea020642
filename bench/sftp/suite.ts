import { copyFile, mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compare } from '../compare.ts';
import { fillSmall, writeRandom } from '../files.ts';
import { must } from '../must.ts';
import type { BenchOptions } from '../options.ts';
import type { Row } from '../rows.ts';
import { startOpenSsh } from './openssh-server.ts';
import { startProFtpd } from './proftpd-server.ts';
import { startSallyport } from './sallyport-server.ts';
import type { Ground, Scenario } from './scenario.ts';
import type { SftpServer, Stage } from './server.ts';
import { sessionScenarios } from './session-scenarios.ts';
import { transferScenarios } from './transfer-scenarios.ts';
import { treeScenarios } from './tree-scenarios.ts';

const scenarios: readonly Scenario[] = [...transferScenarios, ...sessionScenarios, ...treeScenarios];
const mebibyte = 1024 * 1024;
const hugeBytes = 10e9;
/** At 100 ms a transfer takes as long as it takes: this much tells enough. */
const mediumMebibytes = 96;

async function makeKey(folder: string, name: string): Promise<{ file: string; line: string }> {
  const file = join(folder, name);
  await must('anywhere', 'ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', file]);
  const line = (await readFile(`${file}.pub`, 'utf8')).trim().split(' ').slice(0, 2).join(' ');
  return { file, line };
}

async function prepareGround(folder: string, options: BenchOptions): Promise<Ground> {
  const client = join(folder, 'client');
  const ground: Ground = {
    folder,
    largeFile: join(client, 'large'),
    largeBytes: options.mebibytes * mebibyte,
    mediumFile: join(client, 'medium'),
    mediumBytes: mediumMebibytes * mebibyte,
    smallFolder: join(client, 'small'),
  };
  await mkdir(ground.smallFolder, { recursive: true });
  await writeRandom(ground.largeFile, options.mebibytes);
  await writeRandom(ground.mediumFile, mediumMebibytes);
  await fillSmall(ground.smallFolder);
  return ground;
}

async function furnish(server: SftpServer, ground: Ground): Promise<void> {
  await mkdir(server.folder, { recursive: true, mode: 0o700 });
  await copyFile(ground.largeFile, join(server.folder, 'large'));
  await copyFile(ground.mediumFile, join(server.folder, 'medium'));
  await fillSmall(join(server.folder, 'small'));
  const huge = await open(join(server.folder, 'huge'), 'w');
  await huge.truncate(hugeBytes);
  await huge.close();
}

/**
 * SFTP: ours beside OpenSSH's sshd, and ProFTPD's mod_sftp where it is to be had, on one file system with the same
 * clients.
 */
export const runSftpSuite = (options: BenchOptions, progress: (line: string) => void): Promise<Row[]> =>
  compare(
    {
      scenarios,
      async prepare(folder) {
        const keys = [makeKey(folder, 'client-key'), makeKey(folder, 'host-key')] as const;
        const [client, host] = await Promise.all(keys);
        const stage: Stage = {
          folder,
          clientKey: client.file,
          clientPublicKey: client.line,
          hostKey: host.file,
          hostPublicKey: host.line,
          progress,
        };
        return { stage, ground: await prepareGround(folder, options) };
      },
      servers: [startSallyport, startOpenSsh, startProFtpd],
      furnish,
      takesPart: ({ peers }, { name }) => peers === 'all' || peers === name,
      measured: (scenario, ground) => ({ ...scenario, run: (server) => scenario.run(server, ground) }),
    },
    options,
    progress,
  );
