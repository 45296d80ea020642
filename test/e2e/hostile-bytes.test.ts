// Strangers send what no protocol knows: noise before and within TLS, lines without an end, handshakes cut in half, and
// connections that say nothing at all. The node is the same process afterwards, and partners log in all the while.
import { createCipheriv, createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { eventually } from '../support/process.ts';
import { curl } from './support/curl.ts';
import { isAlive, type Quickstart, startQuickstart } from './support/quickstart.ts';
import { sftp } from './support/ssh.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 90_000 });

let quickstart: Quickstart;
const idle: Socket[] = [];

beforeAll(async () => {
  quickstart = await startQuickstart();
});
afterAll(async () => {
  for (const socket of idle) socket.destroy();
  await quickstart.stop();
});

/** The same bytes for the same seed, and no order in them. */
function noise(seed: number, length: number): Buffer {
  const key = createHash('sha256').update(`noise ${seed}`).digest().subarray(0, 16);
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

type Door = 'ssh' | 'ftp' | 'ftpsImplicit' | 'https' | 'controlPlane';
const doors: readonly Door[] = ['ssh', 'ftp', 'ftpsImplicit', 'https', 'controlPlane'];
const portOf = (door: Door): number =>
  door === 'controlPlane'
    ? Number(new URL(quickstart.contract.controlPlaneUrl).port)
    : quickstart.contract.servers[door].port;

/** Opens a connection, through TLS where it shall be; what it answers is read and forgotten. */
async function open(door: Door, channel: 'clear' | 'tls' = 'clear'): Promise<Socket> {
  const options = { host: '127.0.0.1', port: portOf(door) };
  const ca = readFileSync(quickstart.contract.files.ca);
  const socket = channel === 'tls' ? connectTls({ ...options, ca }) : connect(options);
  const ready = channel === 'tls' ? 'secureConnect' : 'connect';
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.once(ready, () => resolve());
  });
  socket.on('error', () => {});
  socket.resume();
  return socket;
}

/** Sends it all, as far as the other side takes it, and waits until the connection is over. */
async function shout(socket: Socket, ...parts: (Buffer | string)[]): Promise<void> {
  const over = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  for (const part of parts) socket.write(part);
  socket.end();
  // Whoever does not hang up on noise within two seconds is left.
  const late = setTimeout(() => socket.destroy(), 2_000);
  await over;
  clearTimeout(late);
}

/** The record of a TLS handshake that promises more than comes. */
const cutHandshake = Buffer.from([0x16, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfc, 3, 3]);
const endless = 'A'.repeat(1 << 20);

const shouts: Record<string, () => Promise<void>[]> = {
  'noise on every port': () =>
    doors.flatMap((door) =>
      [1, 2, 3].map(async (seed) => shout(await open(door), noise(seed, 10_000 * seed ** 2))),
    ),
  'noise within TLS': () =>
    (['ftpsImplicit', 'https'] as const).flatMap((door) =>
      [4, 5].map(async (seed) => shout(await open(door, 'tls'), noise(seed, 100_000))),
    ),
  'noise after a good beginning': () => [
    open('ssh').then((socket) => shout(socket, 'SSH-2.0-stranger\r\n', noise(6, 100_000))),
    open('ssh').then((socket) =>
      shout(socket, 'SSH-2.0-stranger\r\n', Buffer.from('7fffffff0014', 'hex'), noise(7, 64)),
    ),
    open('ftp').then((socket) => shout(socket, 'AUTH TLS\r\n', noise(8, 100_000))),
    open('ftp').then((socket) => shout(socket, 'AUTH TLS\r\nUSER demo\r\nPASS injected\r\n')),
    open('ftp').then((socket) =>
      shout(socket, 'USER demo\r\n', noise(9, 5_000), '\r\nPASS \0\xff\r\nPORT 1,2,3\r\n'),
    ),
    open('https', 'tls').then((socket) => shout(socket, 'GET / HTTP/1.1\r\nHost: x\r\n', noise(10, 100_000))),
    open('https', 'tls').then((socket) =>
      shout(
        socket,
        'PUT /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n',
        endless,
      ),
    ),
    open('https').then((socket) => shout(socket, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')),
  ],
  'lines without an end': () => [
    ...doors.map(async (door) => shout(await open(door), endless, endless)),
    open('ftpsImplicit', 'tls').then((socket) => shout(socket, 'USER ', endless, '\r\n', endless)),
    open('https', 'tls').then((socket) => shout(socket, `GET /${endless} HTTP/1.1\r\n\r\n`)),
    open('https', 'tls').then((socket) =>
      shout(socket, `GET / HTTP/1.1\r\nHost: x\r\nX: ${endless}\r\n\r\n`),
    ),
    open('https', 'tls').then((socket) =>
      shout(socket, `GET /${'a:b/'.repeat(2_000)} HTTP/1.1\r\nHost: x\r\n\r\n`),
    ),
  ],
  'handshakes that are cut': () =>
    doors.flatMap((door) => [
      open(door).then((socket) => shout(socket, cutHandshake)),
      open(door).then((socket) => shout(socket)),
      open(door).then((socket) => {
        socket.write(cutHandshake);
        socket.resetAndDestroy();
      }),
    ]),
};

async function expectService(): Promise<void> {
  const { contract } = quickstart;
  const { password } = contract.account;
  expect(await sftp(contract, { key: contract.files.sshKey }, 'pwd\n')).toMatchObject({ code: 0 });
  for (const target of ['ftp', 'ftps', 'https'] as const) {
    expect(await curl(contract, target, '', { password })).toMatchObject({ code: 0, stderr: '' });
  }
  expect((await quickstart.api.accounts.list()).length).toBe(1);
}

function expectSameProcesses(): void {
  const { processes, pid } = quickstart.contract;
  expect(quickstart.read().processes).toEqual(processes);
  for (const one of [pid, processes.controlPlane, processes.node]) expect(isAlive(one)).toBe(true);
  expect(quickstart.process.stderr()).toBe('');
}

test.each(Object.entries(shouts))('%s', async (_name, all) => {
  await Promise.all(all());
  expectSameProcesses();
  await expectService();
});

test('connections that stay and say nothing keep nobody out', async () => {
  for (const door of doors) {
    for (let count = 0; count < 40; count++) {
      const socket = await open(door);
      if (count % 2) socket.write(cutHandshake.subarray(0, count % 11));
      idle.push(socket);
    }
  }
  await expectService();
  expectSameProcesses();
});

test('what was shouted leaves no session and no file', async () => {
  // The last line of the log is the greeting: nothing that a stranger sends is worth an operator's line.
  expect(quickstart.process.stdout().trimEnd()).toMatch(/Stop with Ctrl-C\.$/);
  const permitted = await eventually(async () => {
    const events = (await quickstart.api.events(0)).filter(({ kind }) => kind === 'login');
    expect(events.length).toBeGreaterThan(0);
    return events.filter(({ outcome }) => outcome === 'permitted');
  });
  expect(new Set(permitted.map(({ account }) => account))).toEqual(new Set(['demo']));
});
