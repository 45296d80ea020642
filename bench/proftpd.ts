import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, startProcess } from '../test/support/process.ts';
import { untilListening } from './listening.ts';
import { findPeer } from './packages.ts';

const program = 'usr/sbin/proftpd';
const packages = [
  'proftpd-core',
  'proftpd-mod-crypto',
  'libmemcached11',
  'libmemcachedutil2',
  'libhiredis0.14',
];

/** What one protocol of ProFTPD's needs beside what all do. */
export type ProFtpdProtocol = {
  readonly module: 'mod_sftp' | 'mod_tls';
  /** Crypt hash of the user's password; `!` for none. */
  readonly passwordHash: string;
  /** Lines of its configuration. */
  readonly lines: readonly string[];
};

/**
 * Starts ProFTPD with one user.
 *
 * @param stage folder of the run
 * @returns undefined where it is not to be had
 */
export async function startProFtpdProcess(
  stage: { readonly folder: string; readonly progress: (line: string) => void },
  { module, passwordHash, lines }: ProFtpdProtocol,
) {
  const found = await findPeer(program, packages, stage.progress);
  if (!found) return undefined;
  const port = await freePort();
  const folder = join(stage.folder, 'proftpd');
  await mkdir(folder);
  const file = (name: string): string => join(stage.folder, `proftpd-${name}`);
  const user = 'bench';
  const { uid = 0, gid = 0 } = { uid: process.getuid?.(), gid: process.getgid?.() };
  await writeFile(file('users'), `${user}:${passwordHash}:${uid}:${gid}::${folder}:/bin/sh\n`, {
    mode: 0o600,
  });
  await writeFile(file('groups'), `${user}:!:${gid}:\n`, { mode: 0o600 });
  const config = [
    'ServerType standalone',
    `Port ${port}`,
    'DefaultAddress 127.0.0.1',
    'UseIPv6 off',
    'UseReverseDNS off',
    `ModulePath ${join(found.root, 'usr/lib/proftpd')}`,
    `LoadModule ${module}.c`,
    `PidFile ${file('pid')}`,
    `ScoreboardFile ${file('scoreboard')}`,
    `SystemLog ${file('log')}`,
    'TransferLog none',
    'WtmpLog off',
    'MaxInstances 2000',
    'AuthOrder mod_auth_file.c',
    `AuthUserFile ${file('users')}`,
    `AuthGroupFile ${file('groups')}`,
    'RequireValidShell off',
    'RootLogin on',
    'AllowOverwrite on',
    ...lines,
  ];
  await writeFile(file('config'), `${config.join('\n')}\n`);
  const running = startProcess(join(found.root, program), ['-n', '-q', '-c', file('config')], {
    env: found.env,
  });
  await untilListening(port, running);
  return {
    name: 'proftpd' as const,
    port,
    user,
    folder,
    pid: running.pid,
    stop: async () => void (await running.stop()),
  };
}
