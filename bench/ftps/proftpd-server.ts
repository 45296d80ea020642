import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, startProcess } from '../../test/support/process.ts';
import { findPeer } from '../packages.ts';
import { must } from '../sftp/client.ts';
import { untilListening } from '../sftp/listening.ts';
import type { TlsServer, TlsStage } from '../tls/server.ts';

const program = 'usr/sbin/proftpd';
const packages = [
  'proftpd-core',
  'proftpd-mod-crypto',
  'libmemcached11',
  'libmemcachedutil2',
  'libhiredis0.14',
];

/** ProFTPD with mod_tls; undefined where it is not to be had. */
export async function startProFtpd(stage: TlsStage): Promise<TlsServer | undefined> {
  const found = await findPeer(program, packages, stage.progress);
  if (!found) return undefined;
  const port = await freePort();
  const folder = join(stage.folder, 'proftpd');
  await mkdir(folder);
  const file = (name: string): string => join(stage.folder, `proftpd-${name}`);
  const [user, password] = ['bench', randomBytes(12).toString('hex')];
  const hash = (await must('anywhere', 'openssl', ['passwd', '-5', '-stdin'], `${password}\n`)).trim();
  const { uid = 0, gid = 0 } = { uid: process.getuid?.(), gid: process.getgid?.() };
  await writeFile(file('users'), `${user}:${hash}:${uid}:${gid}::${folder}:/bin/sh\n`, { mode: 0o600 });
  await writeFile(file('groups'), `${user}:!:${gid}:\n`, { mode: 0o600 });
  const lines = [
    'ServerType standalone',
    `Port ${port}`,
    'DefaultAddress 127.0.0.1',
    'UseIPv6 off',
    'UseReverseDNS off',
    `ModulePath ${join(found.root, 'usr/lib/proftpd')}`,
    'LoadModule mod_tls.c',
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
    'DefaultRoot ~',
    'AllowOverwrite on',
    'TLSEngine on',
    'TLSRequired on',
    'TLSProtocol TLSv1.3',
    `TLSECCertificateFile ${stage.certificate}`,
    `TLSECCertificateKeyFile ${stage.key}`,
    'TLSOptions NoSessionReuseRequired',
    'TLSVerifyClient off',
  ];
  await writeFile(file('config'), `${lines.join('\n')}\n`);
  const running = startProcess(join(found.root, program), ['-n', '-q', '-c', file('config')], {
    env: found.env,
  });
  await untilListening(port, running);
  return {
    name: 'proftpd',
    scheme: 'ftp',
    port,
    user,
    password,
    remote: '',
    folder,
    pid: running.pid,
    stop: async () => void (await running.stop()),
  };
}
