// Stock curl over FTPS and HTTPS. It always checks the server's certificate against a CA file and never falls back to clear text.
import { type RunningProcess, type RunResult, run, startProcess } from '../../support/process.ts';
import type { Contract } from './quickstart.ts';

/** How a TLS client logs in. */
export type TlsLogin = {
  readonly user?: string;
  readonly password?: string;
  /** Files, PEM. */
  readonly certificate?: { readonly cert: string; readonly key: string };
};

export type CurlTarget = 'ftp' | 'ftps' | 'https';

const schemes = { ftp: 'ftp', ftps: 'ftps', https: 'https' } as const;

export function urlOf(contract: Contract, target: CurlTarget, path: string): string {
  const { ftp, ftpsImplicit, https } = contract.servers;
  const { host, port } = { ftp, ftps: ftpsImplicit, https }[target];
  return `${schemes[target]}://${host}:${port}/${path}`;
}

function curlArguments(
  contract: Contract,
  target: CurlTarget,
  path: string,
  login: TlsLogin,
  more: readonly string[],
): string[] {
  const { password, certificate } = login;
  const user = login.user ?? contract.account.name;
  // FTP names its user even where a certificate logs it in; curl then sends an empty password should one be asked for.
  const named = password !== undefined || target !== 'https';
  return [
    '--disable',
    '--no-progress-meter',
    '--show-error',
    '--connect-timeout',
    '10',
    '--cacert',
    contract.files.ca,
    ...(target === 'ftp' ? ['--ssl-reqd'] : []),
    ...(target === 'https' ? ['--fail-with-body'] : []),
    ...(named ? ['--user', `${user}:${password ?? ''}`] : []),
    ...(certificate ? ['--cert', certificate.cert, '--key', certificate.key] : []),
    ...more,
    urlOf(contract, target, path),
  ];
}

/** Runs curl on a path; `more` is what it shall do there: `-T file`, `-o file`, nothing for a listing. */
export function curl(
  contract: Contract,
  target: CurlTarget,
  path: string,
  login: TlsLogin,
  more: readonly string[] = [],
): Promise<RunResult> {
  return run('curl', curlArguments(contract, target, path, login, more));
}

/** Starts curl and lets it run. */
export function startCurl(
  contract: Contract,
  target: CurlTarget,
  path: string,
  login: TlsLogin,
  more: readonly string[] = [],
): RunningProcess {
  const running = startProcess('curl', curlArguments(contract, target, path, login, more));
  running.child.stdin?.end();
  return running;
}

/** The demo's own client certificate. */
export const demoCertificate = ({ files }: Contract): NonNullable<TlsLogin['certificate']> => ({
  cert: files.clientCert,
  key: files.clientKey,
});
