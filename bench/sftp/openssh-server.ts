import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, startProcess } from '../../test/support/process.ts';
import { untilListening } from '../listening.ts';
import type { SftpServer, Stage } from './server.ts';

const program = '/usr/sbin/sshd';

/** OpenSSH's server with its defaults, without PAM and with `internal-sftp`; undefined where it is not installed. */
export async function startOpenSsh(stage: Stage): Promise<SftpServer | undefined> {
  if (
    !(await access(program).then(
      () => true,
      () => false,
    ))
  )
    return undefined;
  const port = await freePort();
  const folder = join(stage.folder, 'openssh');
  await mkdir(folder);
  const file = (name: string): string => join(stage.folder, `openssh-${name}`);
  await writeFile(file('authorized_keys'), `${stage.clientPublicKey}\n`, { mode: 0o600 });
  await writeFile(file('known_hosts'), `[127.0.0.1]:${port} ${stage.hostPublicKey}\n`);
  const lines = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${stage.hostKey}`,
    `AuthorizedKeysFile ${file('authorized_keys')}`,
    `PidFile ${file('pid')}`,
    'UsePAM no',
    'StrictModes no',
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'PrintMotd no',
    'MaxStartups 1000:30:1000',
    'MaxSessions 1000',
    // Without the user's shell, whose start-up files would be charged to the server.
    'Subsystem sftp internal-sftp',
  ];
  await writeFile(file('config'), `${lines.join('\n')}\n`);
  await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
  const running = startProcess(program, ['-D', '-e', '-f', file('config')]);
  await untilListening(port, running);
  return {
    name: 'openssh',
    port,
    user: process.env.USER ?? 'root',
    key: stage.clientKey,
    knownHosts: file('known_hosts'),
    folder,
    remote: `${folder}/`,
    pid: running.pid,
    stop: async () => void (await running.stop()),
  };
}
