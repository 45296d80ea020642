// How stock SSH clients log in with what they are given, each by its own way through the methods that a server offers.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RunResult, run, temporaryFolder } from '../../support/process.ts';
import type { Contract } from './quickstart.ts';
import { sftp } from './ssh.ts';

/** What a client is given; at least one of the two. */
export type Brought = { readonly key?: string; readonly password?: string };

/** Logs in, looks at the home and leaves. The result's code is 0 exactly where it came in. */
export type SshLoginClient = (contract: Contract, brought: Brought) => Promise<RunResult>;

async function puttyKey(key: string): Promise<string> {
  const file = join(temporaryFolder(), 'key.ppk');
  const made = await run('puttygen', [key, '-O', 'private', '-o', file]);
  if (made.code !== 0) throw new Error(made.stderr);
  return file;
}

const fingerprint = async ({ files }: Contract): Promise<string> =>
  (await run('ssh-keygen', ['-l', '-f', files.knownHosts])).stdout.split(' ')[1] as string;

const psftp: SshLoginClient = async (contract, { key, password }) => {
  const { host, port } = contract.servers.ssh;
  const home = temporaryFolder();
  const given = [
    ...(key === undefined ? [] : ['-i', await puttyKey(key)]),
    ...(password === undefined ? [] : ['-pw', password]),
  ];
  const known = ['-batch', '-noagent', '-hostkey', await fingerprint(contract)];
  const target = `${contract.account.name}@${host}`;
  return run('psftp', [...known, ...given, '-P', String(port), target], {
    input: 'pwd\nquit\n',
    env: { HOME: home },
  });
};

const curl: SshLoginClient = async (contract, { key, password = '' }) => {
  const { host, port } = contract.servers.ssh;
  const known = ['--hostpubsha256', (await fingerprint(contract)).replace('SHA256:', '')];
  // Without a key of its own it would try the user's.
  const keys = key === undefined ? ['--key', '/dev/null'] : ['--key', key, '--pubkey', `${key}.pub`];
  const login = ['-u', `${contract.account.name}:${password}`];
  return run('curl', ['-sS', ...known, ...keys, ...login, `sftp://${host}:${port}/`]);
};

const lftp: SshLoginClient = (contract, { key, password = '' }) => {
  const { host, port } = contract.servers.ssh;
  const home = temporaryFolder();
  const options = {
    StrictHostKeyChecking: 'yes',
    UserKnownHostsFile: contract.files.knownHosts,
    GlobalKnownHostsFile: '/dev/null',
    IdentityAgent: 'none',
    IdentitiesOnly: 'yes',
    IdentityFile: key ?? 'none',
    NumberOfPasswordPrompts: '1',
  };
  const words = Object.entries(options).map(([name, value]) => `-o ${name}=${value}`);
  const script = [
    'set cmd:fail-exit true',
    'set net:max-retries 1',
    'set net:timeout 10',
    `set sftp:connect-program "ssh -a -x -F none ${words.join(' ')}"`,
    `open -u ${contract.account.name},${password} sftp://${host}:${port}`,
    'cls',
  ];
  return run('lftp', ['--norc', '-c', script.join('; ')], { env: { HOME: home, LFTP_HOME: home } });
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

/** It knows host keys by the host alone, and takes keys in a form of its own. */
const dropbear: SshLoginClient = async (contract, { key, password }) => {
  const { host, port } = contract.servers.ssh;
  const home = temporaryFolder();
  mkdirSync(join(home, '.ssh'), { mode: 0o700 });
  const known = readFileSync(contract.files.knownHosts, 'utf8').replaceAll(`[${host}]:${port}`, host);
  writeFileSync(join(home, '.ssh', 'known_hosts'), known);
  if (key !== undefined) await run('dropbearconvert', ['openssh', 'dropbear', key, join(home, 'key')]);
  const program = join(home, 'ssh');
  const identity = key === undefined ? '' : `-i ${join(home, 'key')} `;
  const client = `dbclient -T ${identity}-p ${port} -l ${contract.account.name} -s ${host} sftp`;
  writeFileSync(program, `#!/bin/sh\nexec ${client}\n`, { mode: 0o700 });
  return run('sftp', ['-S', program, '-b', '-', `${contract.account.name}@${host}`], {
    input: 'pwd\n',
    env: { HOME: home, DROPBEAR_PASSWORD: password ?? '' },
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
