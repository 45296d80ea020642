import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, startProcess } from '../../test/support/process.ts';
import { untilListening } from '../listening.ts';
import { findPeer } from '../packages.ts';
import type { TlsServer, TlsStage } from '../tls/server.ts';

const program = 'usr/sbin/nginx';

/** nginx with sendfile, one worker per core, and no password to check; undefined where it is not to be had. */
export async function startNginx(stage: TlsStage): Promise<TlsServer | undefined> {
  const found = await findPeer(program, ['nginx'], stage.progress);
  if (!found) return undefined;
  const port = await freePort();
  const folder = join(stage.folder, 'nginx');
  const work = join(stage.folder, 'nginx-work');
  await mkdir(folder);
  await mkdir(work);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const config = `
    daemon off;
    pid ${work}/pid;
    error_log ${work}/error.log;
    worker_processes auto;
    ${process.getuid?.() === 0 ? 'user root;' : ''}
    events { worker_connections 1024; }
    http {
      access_log off;
      sendfile on;
      keepalive_timeout 600;
      ${temporary.map((name) => `${name}_temp_path ${work}/${name};`).join(' ')}
      server {
        listen 127.0.0.1:${port} ssl;
        ssl_certificate ${stage.certificate};
        ssl_certificate_key ${stage.key};
        ssl_protocols TLSv1.3;
        root ${folder};
      }
    }
  `;
  const file = join(work, 'nginx.conf');
  await writeFile(file, config);
  const running = startProcess(
    join(found.root, program),
    ['-c', file, '-p', work, '-e', join(work, 'error.log')],
    {
      env: found.env,
    },
  );
  await untilListening(port, running);
  return {
    name: 'nginx',
    scheme: 'https',
    port,
    user: 'bench',
    password: 'none',
    remote: '',
    folder,
    pid: running.pid,
    stop: async () => void (await running.stop()),
  };
}
