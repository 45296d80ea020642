import { rmSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, open, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { fillSmall, writeRandom } from '../files.ts';
import { measure } from '../measure.ts';
import type { BenchOptions } from '../options.ts';
import type { Row } from '../rows.ts';
import { must } from './client.ts';
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

const chosen = (options: BenchOptions): Scenario[] =>
  scenarios.filter(({ id }) => options.rows.length === 0 || options.rows.some((row) => id.startsWith(row)));

const takesPart = (scenario: Scenario, server: SftpServer): boolean =>
  server.name === 'sallyport' ||
  scenario.peers === 'all' ||
  (scenario.peers === 'openssh' && server.name === 'openssh');

/**
 * SFTP: ours beside OpenSSH's sshd, and ProFTPD's mod_sftp where it is there, on one file system with the same
 * clients. Servers take turns within each round, and whoever was first in one is last in the next.
 */
export async function runSftpSuite(options: BenchOptions, progress: (line: string) => void): Promise<Row[]> {
  const selected = chosen(options);
  if (selected.length === 0) {
    throw new Error(`no such row; there are ${scenarios.map(({ id }) => id).join(', ')}`);
  }
  const folder = await realpath(await mkdtemp(join(options.folder, 'sallyport-bench-')));
  const clear = () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  process.once('exit', clear);
  const servers: SftpServer[] = [];
  try {
    const [client, host] = await Promise.all([makeKey(folder, 'client-key'), makeKey(folder, 'host-key')]);
    const stage: Stage = {
      folder,
      clientKey: client.file,
      clientPublicKey: client.line,
      hostKey: host.file,
      hostPublicKey: host.line,
    };
    const ground = await prepareGround(folder, options);
    for (const start of [startSallyport, startOpenSsh, startProFtpd]) {
      const server = await start(stage);
      if (!server) continue;
      servers.push(server);
      await furnish(server, ground);
    }
    progress(`servers: ${servers.map(({ name }) => name).join(', ')}; files in ${folder}`);
    const rows: Row[] = [];
    for (const scenario of selected) {
      const taking = servers.filter((server) => takesPart(scenario, server));
      const run = (server: SftpServer) => scenario.run(server, ground);
      rows.push(...(await measure({ ...scenario, run }, taking, options.rounds, progress)));
    }
    return rows;
  } finally {
    for (const server of servers) await server.stop();
    process.removeListener('exit', clear);
    clear();
  }
}
