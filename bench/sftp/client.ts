// Stock clients, all on OpenSSH's transport where they take one, so that the same code stands on the other side.
import { type RunningProcess, startProcess } from '../../test/support/process.ts';
import { must, type Placement } from '../must.ts';
import type { SftpServer } from './server.ts';

/** Options of ssh, without host, for a server or for a relay before it. */
export function sshOptions(
  server: SftpServer,
  cipher = 'aes128-gcm@openssh.com',
  port = server.port,
): string[] {
  const options = {
    BatchMode: 'yes',
    // The host key is known under the server's own address; before a relay stands another port.
    HostKeyAlias: `[127.0.0.1]:${server.port}`,
    StrictHostKeyChecking: 'yes',
    UserKnownHostsFile: server.knownHosts,
    GlobalKnownHostsFile: '/dev/null',
    IdentitiesOnly: 'yes',
    IdentityAgent: 'none',
    IdentityFile: server.key,
    UpdateHostKeys: 'no',
    User: server.user,
    Port: String(port),
    KexAlgorithms: 'curve25519-sha256',
    Ciphers: cipher,
    MACs: 'hmac-sha2-256-etm@openssh.com',
  };
  return ['-F', 'none', ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`])];
}

export type TransferOptions = {
  readonly placement: Placement;
  readonly cipher?: string;
  readonly port?: number;
};

/**
 * Runs OpenSSH's sftp over one command and takes the time of that command alone: login and farewell are outside.
 *
 * @returns seconds
 */
export async function timedSftp(
  server: SftpServer,
  command: string,
  options: TransferOptions,
): Promise<number> {
  const { placement, cipher, port } = options;
  const batch = `pwd\n!date +%s%N\n${command}\n!date +%s%N\n`;
  const args = [...sshOptions(server, cipher, port), '-q', '-b', '-', '127.0.0.1'];
  const printed = await must(placement, 'sftp', args, { input: batch });
  const times = [...printed.matchAll(/^(\d{19})$/gm)].map((match) => BigInt(match[1] as string));
  const [from, to] = times;
  if (from === undefined || to === undefined) throw new Error(`sftp printed no times: ${printed}`);
  return Number(to - from) / 1e9;
}

/** Logs in, opens the SFTP subsystem and leaves. */
export const login = (server: SftpServer, placement: Placement): Promise<string> =>
  must(placement, 'ssh', [...sshOptions(server), '-s', '127.0.0.1', 'sftp']);

/** Logs in, opens the SFTP subsystem and stays. */
export const stayLoggedIn = (server: SftpServer): RunningProcess =>
  startProcess('ssh', [...sshOptions(server), '-s', '127.0.0.1', 'sftp']);

const connectProgram = (server: SftpServer): string => ['ssh', '-a', '-x', ...sshOptions(server)].join(' ');

/** Ways to move a folder of small files. */
export const treeClients = {
  sftp: {
    up: (server: SftpServer, from: string, name: string) =>
      must('anywhere', 'sftp', [...sshOptions(server), '-q', '-b', '-', '127.0.0.1'], {
        input: `put -r ${from} ${server.remote}${name}\n`,
      }),
    down: (server: SftpServer, name: string, to: string) =>
      must('anywhere', 'sftp', [...sshOptions(server), '-q', '-b', '-', '127.0.0.1'], {
        input: `get -r ${server.remote}${name} ${to}\n`,
      }),
  },
  lftp: {
    up: (server: SftpServer, from: string, name: string) =>
      lftp(server, `mirror -R ${from} ${server.remote}${name}`),
    down: (server: SftpServer, name: string, to: string) =>
      lftp(server, `mirror ${server.remote}${name} ${to}`),
  },
  rclone: {
    up: (server: SftpServer, from: string, name: string) =>
      rclone(server, ['copy', from, `:sftp:${server.remote}${name}`]),
    down: (server: SftpServer, name: string, to: string) =>
      rclone(server, ['copy', `:sftp:${server.remote}${name}`, to]),
  },
} as const;

const lftp = (server: SftpServer, command: string): Promise<string> =>
  must('anywhere', 'lftp', [
    '--norc',
    '-c',
    `set cmd:fail-exit true; set sftp:connect-program "${connectProgram(server)}"; open sftp://${server.user}:@127.0.0.1:${server.port}; ${command}`,
  ]);

const rclone = (server: SftpServer, args: readonly string[]): Promise<string> =>
  must('anywhere', 'rclone', [
    ...args,
    '--config=',
    '--sftp-host=127.0.0.1',
    `--sftp-port=${server.port}`,
    `--sftp-user=${server.user}`,
    `--sftp-key-file=${server.key}`,
    `--sftp-known-hosts-file=${server.knownHosts}`,
    '--sftp-disable-hashcheck',
    '--sftp-shell-type=none',
  ]);
