// A newcomer starts Sallyport, twice even, reads what the contract file says and finds it true: keys, modes, ports,
// processes. A child that crashes comes back, one that is told to stop stays down, ports in use are named in one line,
// SIGTERM lets a running transfer end first, and even after a kill the next start on the same home keeps every key.
import { readFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { isAbsolute, join } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { eventually, temporaryFolder } from '../support/process.ts';
import { curl, demoCertificate } from './support/curl.ts';
import { listeningAddresses } from './support/listening.ts';
import {
  isAlive,
  placeFile,
  type Quickstart,
  spawnQuickstart,
  startQuickstart,
} from './support/quickstart.ts';
import { sftp, startSftp } from './support/ssh.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

let first: Quickstart;
let second: Quickstart;

beforeAll(async () => {
  first = await startQuickstart();
  // A folder name that would mean something to a shell, an URL or OpenSSH.
  second = await startQuickstart({ home: join(temporaryFolder(), "a home's 100%41 #name?") });
});

/** The key of a known_hosts file, without its address. */
const hostKeyOf = ({ contract }: Quickstart): string =>
  readFileSync(contract.files.knownHosts, 'utf8').trim().split(' ').slice(1).join(' ');

async function expectLogins(quickstart: Quickstart): Promise<void> {
  const { contract } = quickstart;
  expect(await sftp(contract, { key: contract.files.sshKey }, 'pwd\n')).toMatchObject({ code: 0 });
  const { password } = contract.account;
  for (const target of ['ftp', 'ftps', 'https'] as const) {
    expect(await curl(contract, target, '', { password })).toMatchObject({ code: 0, stderr: '' });
  }
}

test('is ready within 15 seconds', () => {
  console.log(`ready after ${first.readyAfterMs.toFixed()} ms and ${second.readyAfterMs.toFixed()} ms`);
  for (const { readyAfterMs } of [first, second]) expect(readyAfterMs).toBeLessThan(15_000);
});

test('writes a contract in which every field is there and true', async () => {
  const { contract, home } = first;
  const address = { host: '127.0.0.1', port: expect.any(Number) };
  expect(contract).toEqual({
    ready: true,
    pid: first.process.pid,
    processes: { controlPlane: expect.any(Number), node: expect.any(Number) },
    nodeHome: join(home, 'node'),
    controlPlaneUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    openapiUrl: `${contract.controlPlaneUrl}/v1/openapi.json`,
    apiToken: expect.stringMatching(/^sly_[\w-]{43}$/),
    servers: {
      ssh: address,
      ftp: { ...address, passive: [expect.any(Number), expect.any(Number)] },
      ftpsImplicit: address,
      https: address,
    },
    files: {
      knownHosts: expect.any(String),
      ca: expect.any(String),
      clientCert: expect.any(String),
      clientKey: expect.any(String),
      sshKey: expect.any(String),
    },
    account: { name: 'demo', password: expect.stringMatching(/^.{16,}$/) },
  });
  for (const path of [contract.nodeHome, ...Object.values(contract.files)]) {
    expect(isAbsolute(path)).toBe(true);
    await stat(path);
  }
  const [from, to] = contract.servers.ftp.passive;
  expect(to - from).toBe(99);
  const { controlPlane, node } = contract.processes;
  expect(new Set([contract.pid, controlPlane, node]).size).toBe(3);
  for (const pid of [contract.pid, controlPlane, node]) expect(isAlive(pid)).toBe(true);

  const openapi = (await (await fetch(contract.openapiUrl)).json()) as { openapi: string };
  expect(openapi.openapi).toMatch(/^3\.1/);
  expect((await first.api.accounts.list()).map(({ name }) => name)).toEqual(['demo']);
});

test('serves with the keys that the contract names, wherever its home is', async () => {
  await expectLogins(first);
  await expectLogins(second);
  for (const target of ['ftp', 'ftps', 'https'] as const) {
    const certificate = demoCertificate(second.contract);
    expect(await curl(second.contract, target, '', { certificate })).toMatchObject({ code: 0, stderr: '' });
  }
});

test('keeps everything in files of its owner alone, and no private key twice', async () => {
  const entries = await readdir(first.home, { recursive: true, withFileTypes: true });
  const modes = await Promise.all(
    entries.map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      return { path, mode: ((await stat(path)).mode & 0o777).toString(8), folder: entry.isDirectory() };
    }),
  );
  expect(((await stat(first.home)).mode & 0o777).toString(8)).toBe('700');
  expect(modes.filter(({ mode, folder }) => mode !== (folder ? '700' : '600'))).toEqual([]);
  expect(modes.map(({ path }) => path)).not.toContain(join(first.contract.nodeHome, 'joining.json'));
});

test('listens on 127.0.0.1 alone, on the ports of the contract', () => {
  const { contract } = first;
  const { ssh, ftp, ftpsImplicit, https } = contract.servers;
  expect(listeningAddresses(contract.pid)).toEqual([]);
  expect(listeningAddresses(contract.processes.controlPlane)).toEqual([
    new URL(contract.controlPlaneUrl).host,
  ]);
  expect(listeningAddresses(contract.processes.node).sort()).toEqual(
    [ssh, ftp, ftpsImplicit, https].map(({ host, port }) => `${host}:${port}`).sort(),
  );
});

test('shares neither port nor secret with another one', () => {
  const of = ({ contract }: Quickstart) => [
    new URL(contract.controlPlaneUrl).port,
    ...Object.values(contract.servers).map(({ port }) => port),
    contract.servers.ftp.passive[0],
    contract.apiToken,
    contract.account.password,
    ...Object.values(contract.files).map((path) => readFileSync(path, 'utf8')),
  ];
  const both = [...of(first), ...of(second)];
  expect(new Set(both).size).toBe(both.length);
  expect(hostKeyOf(first)).not.toBe(hostKeyOf(second));
});

test('names the port that is in use, in one line, and exits 1', async () => {
  const occupied = createServer();
  // Where something listens on 8080 already, that does just as well.
  await new Promise<void>((resolve) => {
    occupied.once('error', () => resolve());
    occupied.listen(8080, '127.0.0.1', resolve);
  });
  try {
    const home = join(temporaryFolder(), 'home');
    const running = spawnQuickstart(home, []);
    expect(await running.exited).toBe(1);
    expect(running.stdout() + running.stderr()).toMatch(/^ports in use: [^\n]*\b8080\b[^\n]*\n$/);
    expect(await readdir(home)).not.toContain('quickstart.json');
  } finally {
    occupied.close();
  }
});

test.each(['node', 'controlPlane'] as const)(
  'starts a crashed %s again and says its new pid',
  async (name) => {
    const before = second.read().processes;
    process.kill(before[name], 'SIGKILL');
    await eventually(() => expect(second.read().processes[name]).not.toBe(before[name]), {
      timeoutMs: 15_000,
    });
    const after = second.read().processes;
    expect(isAlive(after[name])).toBe(true);
    await eventually(() => expectLogins(second), { timeoutMs: 15_000, everyMs: 100 });
    await eventually(() => second.api.accounts.list(), { timeoutMs: 15_000 });
    const other = name === 'node' ? 'controlPlane' : 'node';
    expect(after[other]).toBe(before[other]);
  },
);

test('lets a child that was asked to stop stay down, and goes on', async () => {
  const { controlPlane } = second.read().processes;
  process.kill(controlPlane, 'SIGTERM');
  await eventually(() =>
    expect(second.process.stdout()).toContain('control plane has stopped and stays down'),
  );
  await expectLogins(second);
  expect(second.read().processes.controlPlane).toBe(controlPlane);
  await expect(fetch(second.contract.controlPlaneUrl)).rejects.toThrow();
});

test('lets a running transfer end on SIGTERM, admits nobody meanwhile, and exits 0', async () => {
  const { contract } = first;
  await placeFile(first, 'demo', 'slow.bin', Buffer.alloc(1_000_000, 7));
  const target = join(temporaryFolder(), 'slow.bin');
  // 1 MB at 2,000 kbit/s take four seconds, less what the client lets through at first.
  const slow = startSftp(
    contract,
    { key: contract.files.sshKey, options: ['-l', '2000'] },
    `get slow.bin ${target}\n`,
  );
  await eventually(async () => expect((await stat(target)).size).toBeGreaterThan(0));
  expect(slow.child.exitCode).toBe(null);
  const stopped = first.stop();
  await eventually(() => refusesConnections(contract.servers.ssh.port));
  expect(slow.child.exitCode).toBe(null);
  await stopped;
  expect(await slow.exited).toBe(0);
  expect(readFileSync(target)).toEqual(Buffer.alloc(1_000_000, 7));
  expect(first.process.stdout()).not.toContain('unreachable');
});

test('is started once per home', async () => {
  const running = spawnQuickstart(second.home);
  expect(await running.exited).toBe(1);
  expect(running.stdout()).toMatch(
    new RegExp(`^[^\\n]* is in use by the quickstart with pid ${second.contract.pid};`),
  );
  expect(isAlive(second.read().processes.node)).toBe(true);
});

test('leaves no child behind when it is killed, and starts again with the same keys, ports and files', async () => {
  const before = {
    contract: second.contract,
    hostKey: hostKeyOf(second),
    node: second.read().processes.node,
  };
  await placeFile(second, 'demo', 'kept.txt', 'kept');
  process.kill(before.contract.pid, 'SIGKILL');
  await eventually(() => expect(isAlive(before.node)).toBe(false), { timeoutMs: 15_000 });

  const again = await startQuickstart({ home: second.home });
  try {
    const { pid: _pid, processes: _processes, ...rest } = before.contract;
    expect(again.contract).toMatchObject(rest);
    expect(hostKeyOf(again)).toBe(before.hostKey);
    await expectLogins(again);
    const listed = await sftp(again.contract, { key: again.contract.files.sshKey }, 'ls\n');
    expect(listed.stdout).toContain('kept.txt');
    expect((await again.api.nodes.list()).length).toBe(1);
  } finally {
    await again.stop();
  }
});

function refusesConnections(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('error', () => resolve());
    socket.once('connect', () => {
      socket.destroy();
      reject(new Error('it still takes connections'));
    });
  });
}
