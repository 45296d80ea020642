// Stock SFTP and SCP clients on other code than OpenSSH's, and OpenSSH's own: how each moves a folder up and down again.
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'vitest';
import { type RunResult, run, temporaryFolder } from '../../support/process.ts';
import type { Contract } from './quickstart.ts';
import { sftp, sshArguments } from './ssh.ts';
import { dropbearProgram, fingerprintOf, lftpThroughSsh, puttyKey } from './ssh-tools.ts';

/** A client that copies whole folders; each checks the host key and logs in by the demo's key. */
export type TreeClient = {
  /** Does it keep the times of files? */
  readonly times: 'kept' | 'not-kept';
  /** Copies the folder `from` to the remote name. */
  readonly up: (contract: Contract, from: string, name: string) => Promise<RunResult>;
  /** Copies the remote folder of that name to `to`, which does not exist. */
  readonly down: (contract: Contract, name: string, to: string) => Promise<RunResult>;
};

const loginOf = (contract: Contract) => ({ key: contract.files.sshKey });
const target = ({ servers, account }: Contract, path: string): string =>
  `${account.name}@${servers.ssh.host}:${path}`;

async function puttyArguments(contract: Contract): Promise<string[]> {
  const key = await puttyKey(contract.files.sshKey);
  return [
    '-batch',
    '-hostkey',
    await fingerprintOf(contract),
    '-i',
    key,
    '-P',
    String(contract.servers.ssh.port),
  ];
}

async function psftp(contract: Contract, ...commands: string[]): Promise<RunResult> {
  const batch = join(temporaryFolder(), 'batch');
  writeFileSync(batch, `${commands.join('\n')}\n`);
  const { ssh } = contract.servers;
  return run('psftp', [
    ...(await puttyArguments(contract)),
    '-b',
    batch,
    `${contract.account.name}@${ssh.host}`,
  ]);
}

const scp = (contract: Contract, options: readonly string[], from: string, to: string): Promise<RunResult> =>
  run('scp', [...options, '-r', '-p', '-q', ...sshArguments(contract, loginOf(contract)).args, from, to]);

const scpClient = (...options: string[]): TreeClient => ({
  times: 'kept',
  up: (contract, from, name) => scp(contract, options, from, target(contract, name)),
  down: (contract, name, to) => scp(contract, options, target(contract, name), to),
});

/** scp with Dropbear's client under it: the SSH side is Dropbear's, the file side OpenSSH's. */
const dropbearScp = (option: '-O' | '-s'): TreeClient => {
  async function copy(contract: Contract, from: string, to: string): Promise<RunResult> {
    const runs = option === '-s' ? 'subsystem' : 'command';
    const { program, home } = await dropbearProgram(contract, runs, contract.files.sshKey);
    return run('scp', [option, '-S', program, '-r', '-p', '-q', from, to], { env: { HOME: home } });
  }
  return {
    times: 'kept',
    up: (contract, from, name) => copy(contract, from, target(contract, name)),
    down: (contract, name, to) => copy(contract, target(contract, name), to),
  };
};

/** It puts a folder, under its own name, into one that is there. */
const pscpClient = (protocol: '-sftp' | '-scp'): TreeClient => {
  const copy = async (contract: Contract, from: string, to: string): Promise<RunResult> =>
    run('pscp', [protocol, '-r', '-p', '-q', ...(await puttyArguments(contract)), from, to]);
  return {
    times: 'kept',
    async up(contract, from, name) {
      const done = await copy(contract, from, target(contract, '.'));
      return done.code === 0 ? psftp(contract, `mv ${basename(from)} ${name}`) : done;
    },
    async down(contract, name, to) {
      const folder = temporaryFolder();
      const done = await copy(contract, target(contract, name), folder);
      return done.code === 0 ? run('mv', [join(folder, name), to]) : done;
    },
  };
};

/** Runs lftp over OpenSSH's transport. */
export const lftpOverSsh = (contract: Contract, commands: string): Promise<RunResult> =>
  lftpThroughSsh(contract, sshArguments(contract, loginOf(contract)).args, '', commands);

const rclone = (contract: Contract, from: string, to: string): Promise<RunResult> =>
  run('rclone', [
    ...['copy', from, to, '--config=', '--create-empty-src-dirs', '--retries=1'],
    ...[`--sftp-host=${contract.servers.ssh.host}`, `--sftp-port=${contract.servers.ssh.port}`],
    ...[`--sftp-user=${contract.account.name}`, `--sftp-key-file=${contract.files.sshKey}`],
    ...[`--sftp-known-hosts-file=${contract.files.knownHosts}`, '--sftp-shell-type=none'],
  ]);

/** Runs curl over SFTP (libssh2). */
export async function curlOverSsh(
  contract: Contract,
  args: readonly string[],
  path: string,
): Promise<RunResult> {
  const { host, port } = contract.servers.ssh;
  const fingerprint = (await fingerprintOf(contract)).replace('SHA256:', '');
  return run('curl', [
    ...['-sS', '-g', '-u', `${contract.account.name}:`, '--key', contract.files.sshKey],
    ...['--pubkey', `${contract.files.sshKey}.pub`, '--hostpubsha256', fingerprint],
    ...[...args, `sftp://${host}:${port}/${path}`],
  ]);
}

const pythonPaths = `
import os, sys
def walk(top):
    for folder, folders, files in os.walk(top):
        for name in folders: yield os.path.relpath(os.path.join(folder, name), top), True
        for name in files: yield os.path.relpath(os.path.join(folder, name), top), False
host, port, user, key, known, way, local, remote = sys.argv[1:]
`;

const paramiko = `${pythonPaths}
import paramiko, stat
client = paramiko.SSHClient()
client.load_host_keys(known)
client.connect(host, int(port), user, key_filename=key, allow_agent=False, look_for_keys=False)
sftp = client.open_sftp()
def down(remote, local):
    os.mkdir(local)
    for entry in sftp.listdir_attr(remote):
        a, b = remote + '/' + entry.filename, os.path.join(local, entry.filename)
        down(a, b) if stat.S_ISDIR(entry.st_mode) else sftp.get(a, b)
if way == 'up':
    sftp.mkdir(remote)
    for path, folder in walk(local):
        sftp.mkdir(remote + '/' + path) if folder else sftp.put(os.path.join(local, path), remote + '/' + path)
else:
    down(remote, local)
client.close()
`;

const asyncssh = `${pythonPaths}
import asyncio, asyncssh
async def main():
    async with asyncssh.connect(host, int(port), username=user, client_keys=[key], known_hosts=known) as c:
        async with c.start_sftp_client() as sftp:
            if way == 'up': await sftp.put(local, remote, preserve=True, recurse=True)
            else: await sftp.get(remote, local, preserve=True, recurse=True)
asyncio.run(main())
`;

function python(script: string, contract: Contract, way: 'up' | 'down', local: string, remote: string) {
  const { servers, account, files } = contract;
  const login = [servers.ssh.host, String(servers.ssh.port), account.name, files.sshKey, files.knownHosts];
  return run('/usr/bin/python3', ['-c', script, ...login, way, local, remote]);
}

const pythonClient = (script: string, times: TreeClient['times']): TreeClient => ({
  times,
  up: (contract, from, name) => python(script, contract, 'up', from, name),
  down: (contract, name, to) => python(script, contract, 'down', to, name),
});

/** Mounts the account's files, lets the action work on them and takes them down again. */
export async function withSshfs<T>(contract: Contract, action: (mount: string) => Promise<T>): Promise<T> {
  const mount = temporaryFolder();
  const options = {
    Port: String(contract.servers.ssh.port),
    IdentityFile: contract.files.sshKey,
    IdentityAgent: 'none',
    StrictHostKeyChecking: 'yes',
    UserKnownHostsFile: contract.files.knownHosts,
    GlobalKnownHostsFile: '/dev/null',
  };
  const mounted = await run('sshfs', [
    ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
    ...[target(contract, '/'), mount],
  ]);
  if (mounted.code !== 0) throw new Error(`sshfs: ${mounted.stderr}${mounted.stdout}`);
  try {
    return await action(mount);
  } finally {
    expect(await run('fusermount3', ['-u', mount])).toMatchObject({ code: 0 });
  }
}

/** The clients by name. */
export const treeClients: Readonly<Record<string, TreeClient>> = {
  sftp: {
    times: 'kept',
    up: (contract, from, name) =>
      sftp(contract, loginOf(contract), `mkdir ${name}\nput -R -p ${from}/. ${name}\n`),
    down: (contract, name, to) => sftp(contract, loginOf(contract), `get -R -p ${name} ${to}\n`),
  },
  scp: scpClient(),
  'scp -O': scpClient('-O'),
  'scp through Dropbear': dropbearScp('-O'),
  'SFTP through Dropbear': dropbearScp('-s'),
  psftp: {
    times: 'not-kept',
    up: (contract, from, name) => psftp(contract, `put -r ${from} ${name}`),
    down: (contract, name, to) => psftp(contract, `get -r ${name} ${to}`),
  },
  'pscp over SFTP': pscpClient('-sftp'),
  'pscp over SCP': pscpClient('-scp'),
  lftp: {
    times: 'kept',
    up: (contract, from, name) => lftpOverSsh(contract, `mirror -R ${from} ${name}`),
    down: (contract, name, to) => lftpOverSsh(contract, `mirror ${name} ${to}`),
  },
  rclone: {
    times: 'kept',
    up: (contract, from, name) => rclone(contract, from, `:sftp:${name}`),
    down: (contract, name, to) => rclone(contract, `:sftp:${name}`, to),
  },
  paramiko: pythonClient(paramiko, 'not-kept'),
  asyncssh: pythonClient(asyncssh, 'kept'),
};
