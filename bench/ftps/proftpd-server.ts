import { randomBytes } from 'node:crypto';
import { must } from '../must.ts';
import { startProFtpdProcess } from '../proftpd.ts';
import type { TlsServer, TlsStage } from '../tls/server.ts';

/** ProFTPD with mod_tls; undefined where it is not to be had. */
export async function startProFtpd(stage: TlsStage): Promise<TlsServer | undefined> {
  const password = randomBytes(12).toString('hex');
  const hash = await must('anywhere', 'openssl', ['passwd', '-5', '-stdin'], { input: `${password}\n` });
  const started = await startProFtpdProcess(stage, {
    module: 'mod_tls',
    passwordHash: hash.trim(),
    lines: [
      'DefaultRoot ~',
      'TLSEngine on',
      'TLSRequired on',
      'TLSProtocol TLSv1.3',
      `TLSECCertificateFile ${stage.certificate}`,
      `TLSECCertificateKeyFile ${stage.key}`,
      'TLSOptions NoSessionReuseRequired',
      'TLSVerifyClient off',
    ],
  });
  return started && { ...started, scheme: 'ftp', password, remote: '' };
}
