import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Stage, until } from './fixture/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

const dial = async (port = stage.port): Promise<Socket> => {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
};
const closed = (socket: Socket): Promise<void> =>
  socket.destroyed
    ? Promise.resolve()
    : new Promise((resolve) => socket.resume().once('close', () => resolve()));

/** The listener lives: a real client logs in. */
const expectService = async () => expect(await stage.sftp('pwd\n')).toMatchObject({ code: 0 });

/** Numbers with a seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
}

describe('the port', () => {
  it('identifies itself without a version', async () => {
    const socket = await dial();
    const [ident] = await once(socket, 'data');
    expect(ident.toString()).toBe('SSH-2.0-Sallyport\r\n');
    socket.destroy();
  });

  it('survives garbage before and after the identification', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const next = random(seed);
      const garbage = Buffer.from(Uint8Array.from({ length: 1 + (next() % 3_000) }, () => next()));
      const socket = await dial();
      if (seed % 3) socket.write('SSH-2.0-Client\r\n');
      if (seed % 3 === 1) garbage.writeUInt32BE(garbage.length & ~7 || 8);
      socket.write(garbage);
      if (seed % 2) socket.end();
      else socket.destroy();
    }
    await expectService();
  });

  it.each([
    ['another protocol', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['an endless banner', 'x'.repeat(100_000)],
    ['an old protocol', 'SSH-1.5-Old\r\n'],
    ['a huge identification', `SSH-2.0-${'a'.repeat(50_000)}\r\n`],
    ['a packet length beyond all bounds', 'SSH-2.0-x\r\n\xff\xff\xff\xff'],
    ['a packet with more padding than packet', 'SSH-2.0-x\r\n\0\0\0\x0c\xff\x14aaaaaaaaaa'],
  ])('closes on %s', async (_, text) => {
    const socket = await dial();
    socket.write(text, 'latin1');
    await closed(socket);
  });

  it('lets silent and half-open clients wait, within their grace', async () => {
    const silent = await Promise.all(Array.from({ length: 50 }, () => dial()));
    const halfOpen = await dial();
    halfOpen.end();
    await expectService();
    for (const socket of silent) socket.resetAndDestroy();
    await closed(halfOpen);
  });

  it('takes the identification byte by byte', async () => {
    const socket = await dial();
    socket.setNoDelay(true);
    let received = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
    });
    for (const letter of 'SSH-2.0-Slow client\r\n') {
      socket.write(letter);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const ident = 'SSH-2.0-Sallyport\r\n';
    await until(() => received.length > ident.length + 6);
    expect(received.subarray(0, ident.length).toString()).toBe(ident);
    expect(received[ident.length + 5]).toBe(20);
    socket.destroy();
  });

  it('holds no more connections than allowed, in all and per address', async () => {
    const own = await Stage.open({ server: { limits: { maxConnections: 2 } } });
    const first = await Promise.all([dial(own.port), dial(own.port)]);
    await Promise.all(first.map((socket) => once(socket, 'data')));
    await closed(await dial(own.port));
    first[0]?.destroy();
    await until(async () => {
      const again = await dial(own.port);
      const [event] = await Promise.race([
        once(again, 'data').then(() => ['data']),
        closed(again).then(() => ['close']),
      ]);
      again.destroy();
      return event === 'data';
    });
    await own.apply({ limits: { ...own.server.limits, maxConnections: 100, maxConnectionsPerAddress: 1 } });
    await closed(await dial(own.port));
    await own.close();
  });
});

describe('a key', () => {
  /** Logs in with ssh2's client and a signature of our making. */
  function signedLogin(sign: (data: Buffer) => Buffer): Promise<string> {
    const parsed = ssh2.utils.parseKey(stage.clientKey.pem);
    if (parsed instanceof Error) throw parsed;
    const forged = Object.create(parsed, {
      sign: { value: sign },
    });
    class Agent extends ssh2.BaseAgent {
      override getIdentities(callback: (error: undefined, keys: ssh2.ParsedKey[]) => void): void {
        callback(undefined, [parsed as ssh2.ParsedKey]);
      }
      override sign(
        _key: never,
        data: Buffer,
        _options: unknown,
        callback?: (error: undefined, signature: Buffer) => void,
      ): void {
        callback?.(undefined, forged.sign(data));
      }
    }
    return new Promise((resolve) => {
      const client = new ssh2.Client();
      client.on('ready', () => {
        resolve('ready');
        client.end();
      });
      client.on('error', (error) => resolve(error.message));
      client.connect({
        host: '127.0.0.1',
        port: stage.port,
        username: 'demo',
        authHandler: [{ type: 'agent', username: 'demo', agent: new Agent() as never }] as never,
      });
    });
  }
  const real = (data: Buffer, pem = stage.clientKey.pem): Buffer => {
    const parsed = ssh2.utils.parseKey(pem);
    if (parsed instanceof Error) throw parsed;
    return parsed.sign(data) as Buffer;
  };

  it('with its signature is let in', async () => {
    expect(await signedLogin((data) => real(data))).toBe('ready');
  });

  it.each<[string, (data: Buffer) => Buffer]>([
    ['of another key', (data) => real(data, stage.otherKey.pem)],
    ['over other data', (data) => real(Buffer.concat([data, Buffer.from([0])]))],
    ['with a flipped bit', (data) => real(data).map((byte, at) => (at === 10 ? byte ^ 1 : byte)) as Buffer],
    ['of zeros', () => Buffer.alloc(64)],
    ['that is empty', () => Buffer.alloc(0)],
  ])('with a signature %s is refused', async (_, sign) => {
    const before = stage.desk.sessions.length;
    expect(await signedLogin(sign)).not.toBe('ready');
    expect(stage.desk.sessions.length).toBe(before);
  });
});

describe('a logged-in client', () => {
  async function open() {
    const client = new ssh2.Client();
    client.on('error', () => {});
    client.connect({ host: '127.0.0.1', port: stage.port, username: 'demo', password: stage.password });
    await once(client, 'ready');
    return client;
  }
  const subsystem = (client: ssh2.Client, name: string): Promise<ssh2.ClientChannel | Error> =>
    new Promise((resolve) => client.subsys(name, (error, channel) => resolve(error ?? channel)));

  it('that speaks garbage to SFTP loses its channel alone', async () => {
    const client = await open();
    const channel = (await subsystem(client, 'sftp')) as ssh2.ClientChannel;
    channel.write(Buffer.alloc(5_000, 0xff));
    channel.resume();
    await once(channel, 'close');
    expect(await subsystem(client, 'sftp')).not.toBeInstanceOf(Error);
    client.end();
    await stage.desk.sessions.at(-1)?.closed;
  });

  it('opens ten channels and no more', async () => {
    const client = await open();
    const channels = await Promise.all(Array.from({ length: 10 }, () => subsystem(client, 'sftp')));
    expect(channels.filter((channel) => channel instanceof Error)).toEqual([]);
    expect(await subsystem(client, 'sftp')).toBeInstanceOf(Error);
    const one = channels[0] as ssh2.ClientChannel;
    one.end();
    one.resume();
    await once(one, 'close');
    expect(await subsystem(client, 'sftp')).not.toBeInstanceOf(Error);
    client.end();
    await stage.desk.sessions.at(-1)?.closed;
  });

  it('that sends more than its window is cut off', async () => {
    const gate = Promise.withResolvers<never>();
    const own = await Stage.open({ files: (disk) => ({ ...disk, lstat: () => gate.promise }) });
    const client = new ssh2.Client();
    client.on('error', () => {});
    const gone = new Promise<void>((resolve) => client.once('close', () => resolve()));
    client.connect({ host: '127.0.0.1', port: own.port, username: 'demo', password: own.password });
    await once(client, 'ready');
    const channel = (await subsystem(client, 'sftp')) as ssh2.ClientChannel & {
      outgoing: { window: number };
    };
    channel.outgoing.window = 1e9;
    // Requests that are never done give no credit back.
    const init = Buffer.from([0, 0, 0, 5, 1, 0, 0, 0, 3]);
    const lstat = Buffer.concat([Buffer.from([0, 0, 0, 11, 7, 0, 0, 0, 1, 0, 0, 0, 2]), Buffer.from('/a')]);
    channel.write(Buffer.concat([init, ...Array.from({ length: 200_000 }, () => lstat)]));
    await gone;
    gate.reject(new Error('over'));
    await own.close();
  });

  it('that asks for much and reads nothing costs little', async () => {
    await writeFile(join(stage.home, 'big'), Buffer.alloc(32 * 1024 * 1024));
    const client = await open();
    const channel = (await subsystem(client, 'sftp')) as ssh2.ClientChannel;
    const text = (value: string) => {
      const bytes = Buffer.alloc(4 + value.length);
      bytes.writeUInt32BE(value.length);
      bytes.write(value, 4);
      return bytes;
    };
    const u32 = (value: number) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value);
      return bytes;
    };
    const packet = (...parts: Buffer[]) => {
      const body = Buffer.concat(parts);
      return Buffer.concat([u32(body.length), body]);
    };
    channel.write(packet(Buffer.from([1]), u32(3)));
    channel.write(packet(Buffer.from([3]), u32(1), text('/big'), u32(1), u32(0)));
    await until(() => channel.readableLength > 0);
    // The socket is read no more: what the server makes has to wait there.
    const socket = (client as unknown as { _sock: Socket })._sock;
    socket.pause();
    for (let i = 0; i < 120; i++) {
      channel.write(
        packet(Buffer.from([5]), u32(2 + i), u32(4), u32(0), u32(0), u32(i * 261_120), u32(261_120)),
      );
    }
    const before = process.memoryUsage().arrayBuffers;
    await new Promise((resolve) => setTimeout(resolve, 300));
    // 30 MiB were asked for; the client's own buffers are in this process, too.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(12 * 1024 * 1024);
    client.destroy();
    await stage.desk.sessions.at(-1)?.closed;
  });
});
