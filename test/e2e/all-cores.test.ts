// A node of two processes: clients land on either, and nobody can tell that there are two. Limits, lockouts, the session
// list and what an operator changes hold for both; a process that dies takes nothing with it but its own sessions.
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { eventually, type RunningProcess, temporaryFolder } from '../support/process.ts';
import { curl, startCurl } from './support/curl.ts';
import { childrenOf, connectionsOf } from './support/node-processes.ts';
import { makePartner, type Partner } from './support/partner.ts';
import {
  changeServer,
  type Demo,
  demoOf,
  isAlive,
  placeFile,
  type Quickstart,
  startQuickstart,
  untilLive,
} from './support/quickstart.ts';
import { type OpenSftp, openSftp, sftp, startSftp } from './support/ssh.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 90_000 });

let quickstart: Quickstart;
let demo: Demo;
let partner: Partner;
let key: string;

beforeAll(async () => {
  quickstart = await startQuickstart({ args: ['--ports', 'auto', '--processes', '2'] });
  demo = await demoOf(quickstart);
  partner = await makePartner(quickstart, demo.zone.id, 'partner');
  key = quickstart.contract.files.sshKey;
});
afterAll(() => quickstart.stop());

const nodePid = (): number => quickstart.read().processes.node;
/** The processes that serve, in the order of their ids. */
const workers = (): number[] => childrenOf(nodePid()).sort((one, other) => one - other);
const countsAt = (port: number): number[] => workers().map((pid) => connectionsOf(pid, port));
const sshPort = (): number => quickstart.contract.servers.ssh.port;

/** Opens sessions until each process has one. */
async function sftpOnBoth(): Promise<OpenSftp[]> {
  const opened: OpenSftp[] = [];
  do opened.push(await openSftp(quickstart.contract, { key }));
  while (countsAt(sshPort()).some((count) => count === 0) && opened.length < 20);
  expect(countsAt(sshPort()).every((count) => count > 0)).toBe(true);
  return opened;
}

/** Opens one more session, and says which process has it. */
async function sftpSomewhere(): Promise<{ session: OpenSftp; worker: number }> {
  const before = countsAt(sshPort());
  const session = await openSftp(quickstart.contract, { key });
  const index = countsAt(sshPort()).findIndex((count, at) => count > (before[at] ?? 0));
  return { session, worker: workers()[index] as number };
}

/** The client learns of it when it says something. */
const ended = (session: OpenSftp): Promise<void> =>
  eventually(() => expect(session.works()).rejects.toThrow('the session has ended'));

const closeAll = async (sessions: readonly OpenSftp[]) => {
  for (const session of sessions) await session.close();
  await eventually(() => expect(countsAt(sshPort()).every((count) => count === 0)).toBe(true));
};

describe('ssh, ftp and http on all cores', () => {
  test('sessions of OpenSSH and of curl land on both, are all listed, and end wherever they run', async () => {
    expect(workers()).toHaveLength(2);
    await placeFile(quickstart, 'partner', 'big.bin', '');
    await truncate(join(quickstart.filesOf('partner'), 'big.bin'), 500_000_000);
    const opened = await sftpOnBoth();
    const { port } = quickstart.contract.servers.ftp;
    const transfers: RunningProcess[] = [];
    while (countsAt(port).some((count) => count === 0) && transfers.length < 20) {
      const file = join(temporaryFolder(), 'part.bin');
      const login = { user: 'partner', certificate: partner.certificate };
      const more = ['--limit-rate', '1M', '-o', file];
      transfers.push(startCurl(quickstart.contract, 'ftp', 'big.bin', login, more));
      await eventually(async () => expect((await stat(file)).size).toBeGreaterThan(0));
    }
    expect(countsAt(port).every((count) => count > 0)).toBe(true);

    const { api } = quickstart;
    await eventually(async () => {
      expect(await api.sessions.list({ protocol: 'ssh' })).toHaveLength(opened.length);
      expect(await api.sessions.list({ protocol: 'ftp' })).toHaveLength(transfers.length);
    });
    for (const { id } of await api.sessions.list({})) await api.sessions.end(id);
    for (const session of opened) await ended(session);
    for (const { exited } of transfers) expect(await exited).not.toBe(0);
    await eventually(async () => expect(await api.sessions.list({})).toEqual([]));
  });

  test('an address is held to its connections on both together', async () => {
    const limits = { ...demo.ssh.limits, maxConnectionsPerAddress: 3 };
    const limited = await changeServer(quickstart, demo.ssh.id, { limits });
    await untilLive(quickstart, demo.zone.id, limited.changeSequence);
    const opened: OpenSftp[] = [];
    for (let number = 0; number < 3; number++) opened.push(await openSftp(quickstart.contract, { key }));
    expect((await sftp(quickstart.contract, { key }, 'pwd\n')).code).not.toBe(0);
    await opened.pop()?.close();
    await eventually(async () => expect((await sftp(quickstart.contract, { key }, 'pwd\n')).code).toBe(0));
    await closeAll(opened);
    const { changeSequence } = await changeServer(quickstart, demo.ssh.id, { limits: demo.ssh.limits });
    await untilLive(quickstart, demo.zone.id, changeSequence);
  });

  test('both meet clients with a new host key, and cut nobody for it', async () => {
    const { api, contract } = quickstart;
    const opened = await sftpOnBoth();
    const { id } = await api.certificates.create({
      source: 'generate',
      kind: 'local',
      alias: 'next-host-key',
      zones: [demo.zone.id],
      purpose: 'ssh',
      keyType: 'ed25519',
    });
    const changed = await changeServer(quickstart, demo.ssh.id, { certificates: [id] });
    await untilLive(quickstart, demo.zone.id, changed.changeSequence);
    writeFileSync(contract.files.knownHosts, await api.servers.knownHosts(demo.ssh.id));
    // Each of them checks the key.
    const again = await sftpOnBoth();
    const third = await sftpSomewhere();
    const fourth = await sftpSomewhere();
    for (const { works } of opened) await works();
    await closeAll([...opened, ...again, third.session, fourth.session]);
  });

  test('a process that is killed ends its own sessions, a transfer on the other goes on, and logins are served', async () => {
    const bytes = randomBytes(2_000_000);
    await placeFile(quickstart, 'demo', 'slow.bin', bytes);
    const target = join(temporaryFolder(), 'slow.bin');
    const before = countsAt(sshPort());
    const slow = startSftp(quickstart.contract, { key, options: ['-l', '4000'] }, `get slow.bin ${target}\n`);
    await eventually(async () => expect((await stat(target)).size).toBeGreaterThan(0));
    const index = countsAt(sshPort()).findIndex((count, at) => count > (before[at] ?? 0));
    const busy = workers()[index] as number;
    let elsewhere = await sftpSomewhere();
    const others: OpenSftp[] = [];
    while (elsewhere.worker === busy) {
      others.push(elsewhere.session);
      elsewhere = await sftpSomewhere();
    }
    const sessions = () => quickstart.api.sessions.list({ protocol: 'ssh' });
    await eventually(async () => expect(await sessions()).toHaveLength(others.length + 2));

    process.kill(elsewhere.worker, 'SIGKILL');
    expect(await sftp(quickstart.contract, { key }, 'pwd\n')).toMatchObject({ code: 0 });
    await ended(elsewhere.session);
    await eventually(async () => {
      const ends = (await quickstart.api.events(0)).filter(({ kind }) => kind === 'logout');
      expect(ends.filter(({ reason }) => reason === 'process-lost')).toHaveLength(1);
    });
    for (const other of others) await other.works();
    expect(await slow.exited).toBe(0);
    expect(bytes.equals(readFileSync(target))).toBe(true);
    await closeAll(others);
    await eventually(() => expect(workers()).toHaveLength(2), { timeoutMs: 20_000 });
    await closeAll(await sftpOnBoth());
  });

  test('a browser that has signed in is known on both, as one session', async () => {
    const { contract, api } = quickstart;
    const jar = join(temporaryFolder(), 'cookies');
    const status = ['-o', '/dev/null', '-w', '%{http_code}', '-H', 'Accept: text/html'];
    const form = { user: 'partner', password: partner.password, to: '/' };
    const fields = Object.entries(form).flatMap(([name, value]) => ['--data-urlencode', `${name}=${value}`]);
    const signedIn = await curl(contract, 'https', '.sallyport/sign-in', {}, [
      '-c',
      jar,
      ...fields,
      ...status,
    ]);
    expect(signedIn.stdout, signedIn.stderr).toBe('303');
    // Every request comes over a connection of its own, and those go to the processes by turns.
    for (let number = 0; number < 8; number++)
      expect((await curl(contract, 'https', '', {}, ['-b', jar, ...status])).stdout).toBe('200');
    await eventually(async () => expect(await api.sessions.list({ protocol: 'http' })).toHaveLength(1));
    const [session] = await api.sessions.list({ protocol: 'http' });
    await api.sessions.end(session?.id ?? '');
    await eventually(async () => {
      for (let number = 0; number < 4; number++)
        expect((await curl(contract, 'https', '', {}, ['-b', jar, ...status])).stdout).toBe('401');
    });
  });

  test('wrong passwords are counted on both together', async () => {
    const login = { user: 'partner' };
    for (let number = 0; number < 5; number++)
      expect((await sftp(quickstart.contract, { ...login, password: 'wrong' }, 'pwd\n')).code).not.toBe(0);
    for (let number = 0; number < 2; number++)
      expect(
        (await sftp(quickstart.contract, { ...login, password: partner.password }, 'pwd\n')).code,
      ).not.toBe(0);
    expect(await sftp(quickstart.contract, { ...login, key: partner.key }, 'pwd\n')).toMatchObject({
      code: 0,
    });
  });

  test('the processes end with the node, however that ends, and the next node finds its ports free', async () => {
    const before = workers();
    process.kill(nodePid(), 'SIGKILL');
    await eventually(() => expect(before.some(isAlive)).toBe(false), { timeoutMs: 1_000 });
    await eventually(
      async () => expect(await sftp(quickstart.contract, { key }, 'pwd\n')).toMatchObject({ code: 0 }),
      { timeoutMs: 40_000 },
    );
    await eventually(() => expect(workers()).toHaveLength(2));
    expect(quickstart.process.stdout()).not.toContain('item-port-in-use');
  });
});
