// How stock SSH clients log in with what they are given, each by its own way through the methods that a server offers.
import { type RunResult, run, temporaryFolder } from '../../support/process.ts';
import type { Contract } from './quickstart.ts';
import { sftp, sshArguments } from './ssh.ts';
import { dropbearProgram, fingerprintOf, lftpThroughSsh, puttyKey } from './ssh-tools.ts';

/** What a client is given; at least one of the two. */
export type Brought = { readonly key?: string; readonly password?: string };

/** Logs in, looks at the home and leaves. The result's code is 0 exactly where it came in. */
export type SshLoginClient = (contract: Contract, brought: Brought) => Promise<RunResult>;

const psftp: SshLoginClient = async (contract, { key, password }) => {
  const { host, port } = contract.servers.ssh;
  const home = temporaryFolder();
  const given = [
    ...(key === undefined ? [] : ['-i', await puttyKey(key)]),
    ...(password === undefined ? [] : ['-pw', password]),
  ];
  const known = ['-batch', '-noagent', '-hostkey', await fingerprintOf(contract)];
  const target = `${contract.account.name}@${host}`;
  return run('psftp', [...known, ...given, '-P', String(port), target], {
    input: 'pwd\nquit\n',
    env: { HOME: home },
  });
};

const curl: SshLoginClient = async (contract, { key, password = '' }) => {
  const { host, port } = contract.servers.ssh;
  const known = ['--hostpubsha256', (await fingerprintOf(contract)).replace('SHA256:', '')];
  // Without a key of its own it would try the user's.
  const keys = key === undefined ? ['--key', '/dev/null'] : ['--key', key, '--pubkey', `${key}.pub`];
  const login = ['-u', `${contract.account.name}:${password}`];
  return run('curl', ['-sS', ...known, ...keys, ...login, `sftp://${host}:${port}/`]);
};

const lftp: SshLoginClient = (contract, { key, password = '' }) => {
  // A password that is empty is tried as well: lftp answers whatever it is asked.
  const { args } = sshArguments(contract, { ...(key === undefined ? {} : { key }), password });
  return lftpThroughSsh(contract, args, password, 'cls');
};

const rclone: SshLoginClient = async (contract, { key, password }) => {
  const { host, port } = contract.servers.ssh;
  const obscured =
    password === undefined ? '' : (await run('rclone', ['obscure', '-'], { input: password })).stdout.trim();
  return run('rclone', [
    ...['lsf', ':sftp:', '--config=', '--retries=1', '--low-level-retries=1', '--sftp-shell-type=none'],
    ...[`--sftp-host=${host}`, `--sftp-port=${port}`, `--sftp-user=${contract.account.name}`],
    `--sftp-known-hosts-file=${contract.files.knownHosts}`,
    ...(key === undefined ? [] : [`--sftp-key-file=${key}`]),
    ...(password === undefined ? [] : [`--sftp-pass=${obscured}`]),
  ]);
};

const paramikoProgram = `
import sys, paramiko
host, port, user, known, key, password = sys.argv[1:]
client = paramiko.SSHClient()
client.load_host_keys(known)
client.connect(host, int(port), user, password or None, key_filename=key or None, allow_agent=False, look_for_keys=False)
print(client.open_sftp().listdir('.'))
client.close()
`;

const asyncsshProgram = `
import asyncio, sys, asyncssh
host, port, user, known, key, password = sys.argv[1:]
async def main():
    async with asyncssh.connect(host, int(port), username=user, known_hosts=known, agent_path=None,
                                client_keys=[key] if key else None, password=password or None) as c:
        async with c.start_sftp_client() as sftp:
            print(await sftp.listdir('.'))
asyncio.run(main())
`;

const python =
  (program: string): SshLoginClient =>
  (contract, { key = '', password = '' }) => {
    const { host, port } = contract.servers.ssh;
    const args = [host, String(port), contract.account.name, contract.files.knownHosts, key, password];
    return run('/usr/bin/python3', ['-c', program, ...args], { env: { HOME: temporaryFolder() } });
  };

const dropbear: SshLoginClient = async (contract, { key, password = '' }) => {
  const { program, home } = await dropbearProgram(contract, 'subsystem', key);
  return run('sftp', ['-S', program, '-b', '-', `${contract.account.name}@${contract.servers.ssh.host}`], {
    input: 'pwd\n',
    env: { HOME: home, DROPBEAR_PASSWORD: password },
  });
};

/** The clients by name. */
export const sshLoginClients: Readonly<Record<string, SshLoginClient>> = {
  OpenSSH: (contract, brought) => sftp(contract, brought, 'pwd\n'),
  PuTTY: psftp,
  curl,
  lftp,
  rclone,
  paramiko: python(paramikoProgram),
  asyncssh: python(asyncsshProgram),
  Dropbear: dropbear,
};
