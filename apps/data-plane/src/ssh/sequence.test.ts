import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Stage, until } from './fixture/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open({
    server: { limits: { maxConnections: 10_100, maxConnectionsPerAddress: 5_000 } },
  });
});
afterAll(() => stage.close());

/** The messages that a test sends out of their order (RFC 4253, 4252, 4254). */
type ClientProtocol = {
  service(name: string): void;
  authPassword(user: string, password: string): void;
  authNone(user: string): void;
  openssh_noMoreSessions(wantReply: boolean): void;
  session(channel: number, window: number, packetSize: number): void;
  channelData(channel: number, data: Buffer): void;
  channelWindowAdjust(channel: number, bytes: number): void;
  subsystem(channel: number, name: string, wantReply: boolean): void;
  rekey(): void;
  ping(): void;
};

/** A client that says what a test makes it say once it has keys; what came of it. */
function misbehaving(
  act: (protocol: ClientProtocol) => void,
): Promise<{ said: string[]; endedBy: 'server' | 'client' }> {
  const client = new ssh2.Client();
  const said: string[] = [];
  const protocol = () => (client as unknown as { _protocol: ClientProtocol })._protocol;
  client.on('ready', () => said.push('ready'));
  client.on('error', (error) => said.push(error.message));
  client.once('handshake', () => act(protocol()));
  client.connect({
    host: '127.0.0.1',
    port: stage.port,
    username: 'demo',
    // Nobody logs in: a request of its own would put the test's order right.
    authHandler: () => {},
  } as never);
  const close = new Promise<void>((resolve) => client.once('close', () => resolve()));
  let endedBy: 'server' | 'client' = 'server';
  const timer = setTimeout(() => {
    endedBy = 'client';
    client.destroy();
  }, 500);
  return close.then(() => {
    clearTimeout(timer);
    return { said, endedBy };
  });
}

const expectService = async () => expect(await stage.sftp('pwd\n')).toMatchObject({ code: 0 });

describe('messages out of their order', () => {
  it.each<[string, (protocol: ClientProtocol) => void]>([
    ['a channel before the login', (protocol) => protocol.session(0, 2 ** 20, 32_768)],
    ['data on a channel that is not there', (protocol) => protocol.channelData(0, Buffer.alloc(100))],
    ['a window for a channel that is not there', (protocol) => protocol.channelWindowAdjust(7, 2 ** 31)],
    ['a subsystem without a channel', (protocol) => protocol.subsystem(0, 'sftp', true)],
    [
      'the authentication service twice',
      (protocol) => {
        protocol.service('ssh-userauth');
        protocol.service('ssh-userauth');
      },
    ],
    ['keepalives without end', (protocol) => Array.from({ length: 5_000 }, () => protocol.ping())],
    ['key exchanges one upon another', (protocol) => Array.from({ length: 20 }, () => protocol.rekey())],
  ])('%s open nothing', async (_, act) => {
    const sessions = stage.desk.sessions.length;
    const { said } = await misbehaving(act);
    expect(said).not.toContain('ready');
    expect(stage.desk.sessions.length).toBe(sessions);
    await expectService();
  });

  it.each<[string, (protocol: ClientProtocol) => void]>([
    [
      // Twice is what paramiko does between the steps of a login.
      'the authentication service without end',
      (protocol) => {
        for (let times = 0; times < 30; times++) protocol.service('ssh-userauth');
      },
    ],
    ['the connection service before the login', (protocol) => protocol.service('ssh-connection')],
    [
      'another user before the first was answered',
      (protocol) => {
        protocol.service('ssh-userauth');
        protocol.authPassword('demo', 'wrong');
        protocol.authPassword('other', 'wrong');
      },
    ],
  ])('%s ends the connection', async (_, act) => {
    const { said, endedBy } = await misbehaving(act);
    expect(said).not.toContain('ready');
    expect(endedBy).toBe('server');
  });

  it('a login that is tried without asking for the service is judged like any other', async () => {
    const { said } = await misbehaving((protocol) => protocol.authPassword('demo', 'wrong'));
    expect(said).not.toContain('ready');
  });
});

describe('a handshake', () => {
  /** What a real client sends until it has keys. */
  async function recorded(): Promise<Buffer> {
    const chunks: Buffer[] = [];
    const socket = connect(stage.port, '127.0.0.1');
    await once(socket, 'connect');
    const write = socket.write.bind(socket);
    socket.write = ((chunk: Buffer, ...rest: never[]) => {
      chunks.push(Buffer.from(chunk));
      return write(chunk, ...rest);
    }) as never;
    const client = new ssh2.Client();
    client.on('error', () => {});
    client.connect({ sock: socket, username: 'demo', password: 'wrong' });
    await once(client, 'handshake');
    client.destroy();
    return Buffer.concat(chunks);
  }

  it('that is cut anywhere, or broken in any place, costs nothing but its connection', async () => {
    const bytes = await recorded();
    const play = async (played: Buffer) => {
      const socket: Socket = connect(stage.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.resume();
      await once(socket, 'connect');
      socket.end(played);
      if (!socket.destroyed) await new Promise<void>((resolve) => socket.once('close', () => resolve()));
    };
    const step = Math.ceil(bytes.length / 150);
    for (let at = 1; at < bytes.length; at += step) {
      const broken = Buffer.from(bytes);
      broken[at] = (broken[at] as number) ^ 0xff;
      await Promise.all([play(bytes.subarray(0, at)), play(broken)]);
    }
    await expectService();
  });
});

/**
 * Opens connections from a process of its own, so that their descriptors are not this one's: some say nothing, some half a
 * line, some half a key exchange. It says `open` when all of them are, and ends with its standard input.
 */
const crowdProgram = `
const { connect } = require('node:net');
const [port, count] = process.argv.slice(1).map(Number);
let opened = 0;
function join(index) {
  if (index >= count) return;
  const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.' + (2 + (index % 200)) });
  socket.on('error', (error) => { console.log('failed ' + error.code); process.exit(1); });
  socket.on('connect', () => {
    if (index % 3 === 1) socket.write('SSH-2.0-');
    if (index % 3 === 2) socket.write('SSH-2.0-x\\r\\n\\0\\0\\x04');
    if (++opened === count) console.log('open');
    join(index + 200);
  });
}
for (let index = 0; index < 200; index++) join(index);
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
`;

it('a crowd of 10,000 half-open connections holds nobody up, and leaves no trace', async () => {
  const crowd = spawn(process.execPath, ['-e', crowdProgram, String(stage.port), '10000'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [said] = await once(crowd.stdout, 'data');
  expect(String(said)).toBe('open\n');
  await expectService();
  crowd.stdin.end();
  await once(crowd, 'close');
  await until(async () => (await stage.sftp('pwd\n')).code === 0);
}, 60_000);
