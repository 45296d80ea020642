import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, run, startProcess } from '../../test/support/process.ts';
import { untilListening } from './listening.ts';
import type { SftpServer, Stage } from './server.ts';

/** Where the packages are unpacked: `/` where they are installed (bench/README.md). */
const root = process.env.SALLYPORT_BENCH_PROFTPD ?? '/';

/** ProFTPD with mod_sftp; undefined where it is not installed. */
export async function startProFtpd(stage: Stage): Promise<SftpServer | undefined> {
  const program = join(root, 'usr/sbin/proftpd');
  const modules = join(root, 'usr/lib/proftpd');
  const there = [program, join(modules, 'mod_sftp.so')].map((path) => access(path));
  if (
    !(await Promise.all(there).then(
      () => true,
      () => false,
    ))
  )
    return undefined;
  const port = await freePort();
  const folder = join(stage.folder, 'proftpd');
  await mkdir(folder);
  const file = (name: string): string => join(stage.folder, `proftpd-${name}`);
  const user = 'bench';
  const { uid = 0, gid = 0 } = { uid: process.getuid?.(), gid: process.getgid?.() };
  const rfc4716 = await run('ssh-keygen', ['-e', '-m', 'RFC4716', '-f', `${stage.clientKey}.pub`]);
  await writeFile(file('keys'), rfc4716.stdout, { mode: 0o600 });
  await writeFile(file('users'), `${user}:!:${uid}:${gid}::${folder}:/bin/sh\n`, { mode: 0o600 });
  await writeFile(file('groups'), `${user}:!:${gid}:\n`, { mode: 0o600 });
  await writeFile(file('known_hosts'), `[127.0.0.1]:${port} ${stage.hostPublicKey}\n`);
  const lines = [
    'ServerType standalone',
    `Port ${port}`,
    'DefaultAddress 127.0.0.1',
    'UseIPv6 off',
    `ModulePath ${modules}`,
    'LoadModule mod_sftp.c',
    `PidFile ${file('pid')}`,
    `ScoreboardFile ${file('scoreboard')}`,
    `SystemLog ${file('log')}`,
    'WtmpLog off',
    'MaxInstances 2000',
    'AuthOrder mod_auth_file.c',
    `AuthUserFile ${file('users')}`,
    `AuthGroupFile ${file('groups')}`,
    'RequireValidShell off',
    'RootLogin on',
    'SFTPEngine on',
    `SFTPHostKey ${stage.hostKey}`,
    `SFTPAuthorizedUserKeys file:${file('keys')}`,
    'SFTPAuthMethods publickey',
    'AllowOverwrite on',
  ];
  await writeFile(file('config'), `${lines.join('\n')}\n`);
  const running = startProcess(program, ['-n', '-q', '-c', file('config')]);
  await untilListening(port, running);
  return {
    name: 'proftpd',
    port,
    user,
    key: stage.clientKey,
    knownHosts: file('known_hosts'),
    folder,
    remote: `${folder}/`,
    pid: running.pid,
    stop: async () => void (await running.stop()),
  };
}
