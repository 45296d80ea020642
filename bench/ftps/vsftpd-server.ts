import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, startProcess } from '../../test/support/process.ts';
import { untilListening } from '../listening.ts';
import { findPeer } from '../packages.ts';
import type { TlsServer, TlsStage } from '../tls/server.ts';

const program = 'usr/sbin/vsftpd';

/** vsftpd for anonymous users, who need no PAM; undefined where it is not to be had, or not allowed to run. */
export async function startVsftpd(stage: TlsStage): Promise<TlsServer | undefined> {
  if (process.getuid?.() !== 0) {
    stage.progress('left out: vsftpd, which only root may start');
    return undefined;
  }
  const found = await findPeer(program, ['vsftpd'], stage.progress);
  if (!found) return undefined;
  const port = await freePort();
  const root = join(stage.folder, 'vsftpd');
  const folder = join(root, 'files');
  const empty = join(stage.folder, 'vsftpd-empty');
  // Anonymous users must not be able to write into their root.
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o777);
  await mkdir(empty, { mode: 0o555 });
  const config = join(stage.folder, 'vsftpd.conf');
  const settings = {
    listen: 'YES',
    listen_address: '127.0.0.1',
    listen_port: port,
    background: 'NO',
    anonymous_enable: 'YES',
    local_enable: 'NO',
    anon_root: root,
    ftp_username: 'nobody',
    write_enable: 'YES',
    anon_upload_enable: 'YES',
    anon_mkdir_write_enable: 'YES',
    anon_other_write_enable: 'YES',
    anon_world_readable_only: 'NO',
    secure_chroot_dir: empty,
    nopriv_user: 'nobody',
    max_per_ip: 0,
    xferlog_enable: 'NO',
    ssl_enable: 'YES',
    allow_anon_ssl: 'YES',
    force_anon_data_ssl: 'YES',
    force_anon_logins_ssl: 'YES',
    require_ssl_reuse: 'NO',
    rsa_cert_file: stage.certificate,
    rsa_private_key_file: stage.key,
    ssl_ciphers: 'HIGH',
    seccomp_sandbox: 'NO',
    isolate_network: 'NO',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  await writeFile(config, `${lines.join('\n')}\n`);
  const running = startProcess(join(found.root, program), [config], { env: found.env });
  await untilListening(port, running);
  return {
    name: 'vsftpd',
    scheme: 'ftp',
    port,
    user: 'anonymous',
    password: 'bench',
    remote: 'files/',
    folder,
    pid: running.pid,
    stop: async () => void (await running.stop()),
  };
}
