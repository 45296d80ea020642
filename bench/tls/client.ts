// Stock clients, all held to the same suite.
import { must, type Placement } from '../must.ts';
import type { TlsServer } from './server.ts';

const suite = ['--tlsv1.3', '--tls13-ciphers', 'TLS_AES_128_GCM_SHA256'];

const curlOptions = (server: TlsServer): string[] => [
  ...['-q', '-s', '-S', '-k', '--fail'],
  ...suite,
  ...(server.scheme === 'ftp' ? ['--ssl-reqd', '--ftp-pasv'] : ['--http1.1']),
  ...['--user', `${server.user}:${server.password}`],
];

const urlOf = (server: TlsServer, name: string): string =>
  `${server.scheme}://127.0.0.1:${server.port}/${server.remote}${name}`;

/** Runs curl and takes the time of the transfer alone. @returns seconds */
async function timedCurl(server: TlsServer, placement: Placement, args: readonly string[]): Promise<number> {
  const report = ['-w', '%{time_pretransfer} %{time_total}'];
  const printed = await must(placement, 'curl', [...curlOptions(server), ...report, ...args]);
  const [from = Number.NaN, to = Number.NaN] = printed.split(' ').map(Number);
  if (!(to > from)) throw new Error(`curl printed no times: ${printed}`);
  return to - from;
}

export const download = (server: TlsServer, name: string, placement: Placement): Promise<number> =>
  timedCurl(server, placement, ['-o', '/dev/null', urlOf(server, name)]);

export const upload = (
  server: TlsServer,
  file: string,
  name: string,
  placement: Placement,
): Promise<number> => timedCurl(server, placement, ['-o', '/dev/null', '-T', file, urlOf(server, name)]);

/** Moves a folder of small files. */
export const lftp = (server: TlsServer, command: string): Promise<string> =>
  must('anywhere', 'lftp', [
    '--norc',
    '-c',
    [
      'set cmd:fail-exit true',
      'set ssl:verify-certificate no',
      'set ftp:ssl-force yes',
      'set ftp:ssl-protect-data yes',
      `open -u ${server.user},${server.password} ftp://127.0.0.1:${server.port}`,
      command,
    ].join('; '),
  ]);
