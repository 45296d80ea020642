import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { must } from '../must.ts';
import { startProFtpdProcess } from '../proftpd.ts';
import type { SftpServer, Stage } from './server.ts';

/** ProFTPD with mod_sftp; undefined where it is not to be had. */
export async function startProFtpd(stage: Stage): Promise<SftpServer | undefined> {
  const file = (name: string): string => join(stage.folder, `proftpd-${name}`);
  const rfc4716 = ['-e', '-m', 'RFC4716', '-f', `${stage.clientKey}.pub`];
  await writeFile(file('keys'), await must('anywhere', 'ssh-keygen', rfc4716), { mode: 0o600 });
  const started = await startProFtpdProcess(stage, {
    module: 'mod_sftp',
    passwordHash: '!',
    lines: [
      'SFTPEngine on',
      `SFTPHostKey ${stage.hostKey}`,
      `SFTPAuthorizedUserKeys file:${file('keys')}`,
      'SFTPAuthMethods publickey',
    ],
  });
  if (!started) return undefined;
  await writeFile(file('known_hosts'), `[127.0.0.1]:${started.port} ${stage.hostPublicKey}\n`);
  return {
    ...started,
    key: stage.clientKey,
    knownHosts: file('known_hosts'),
    remote: `${started.folder}/`,
  };
}
