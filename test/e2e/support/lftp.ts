// Stock lftp over explicit and implicit FTPS: GnuTLS, another TLS than curl's. Verification stays on.
import { type RunResult, run, temporaryFolder } from '../../support/process.ts';
import type { TlsLogin } from './curl.ts';
import type { Contract } from './quickstart.ts';

/** Runs lftp commands; it ends with 0 only if the last of them succeeds, so chain them with `&&`. */
export function lftp(
  contract: Contract,
  target: 'ftp' | 'ftps',
  login: TlsLogin,
  commands: string,
): Promise<RunResult> {
  const { ftp, ftpsImplicit } = contract.servers;
  const { host, port } = { ftp, ftps: ftpsImplicit }[target];
  const settings = [
    'cmd:fail-exit yes',
    `ssl:ca-file ${contract.files.ca}`,
    'ssl:verify-certificate yes',
    'ssl:check-hostname yes',
    'ftp:ssl-force yes',
    'ftp:ssl-protect-data yes',
    'ftp:ssl-protect-list yes',
    'net:max-retries 1',
    'net:timeout 10',
    ...(login.certificate
      ? [`ssl:cert-file ${login.certificate.cert}`, `ssl:key-file ${login.certificate.key}`]
      : []),
  ].map((setting) => `set ${setting}`);
  const open = `open -u ${login.user ?? contract.account.name},${login.password ?? ''} -p ${port} ${target}://${host}`;
  const home = temporaryFolder();
  return run('lftp', ['--norc', '-c', [...settings, open, commands].join('; ')], {
    env: { HOME: home, LFTP_HOME: home },
  });
}
