import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { serverCreate } from '@sallyport/model';
import { afterEach, expect, it, vi } from 'vitest';
import { createFrontDoor, type FrontDoor } from './front-door.ts';

const defaults = serverCreate.parse({ protocol: 'http', name: 'door', zone: 'zone', port: 80 });
type Definition = Pick<typeof defaults, 'limits' | 'proxyProtocolFrom'>;

let door: FrontDoor | undefined;
afterEach(() => door?.close());

/** A door that tells each client its source and then gives back what it sends. */
async function open(change: Partial<Definition> = {}, host = '127.0.0.1') {
  const limited: string[] = [];
  const definition = { ...defaults, id: 'srv-door', ...change };
  const made = createFrontDoor({
    definition: () => definition,
    enter(socket, source) {
      socket.write(`${source} ${socket.remoteAddress} `);
      socket.pipe(socket);
    },
    onLimited: (source, limit) => limited.push(`${source} ${limit}`),
  });
  door = made;
  expect(await made.moveTo(host, 0)).toMatchObject({ ok: true });
  return { limited, port: made.port as number };
}

/** All that comes back for these pieces, until the end. */
async function told(port: number, pieces: readonly (string | Buffer)[], host = '127.0.0.1'): Promise<string> {
  const socket = connect({ port, host, noDelay: true });
  socket.on('error', () => {});
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  for (const piece of pieces) await new Promise<void>((sent) => socket.write(piece, () => sent()));
  socket.end();
  await once(socket, 'close');
  return answer;
}

const line = 'PROXY TCP4 203.0.113.7 10.0.0.1 49152 22\r\n';
const balanced = { proxyProtocolFrom: ['127.0.0.0/8'] };

it('takes the client that a balancer names for who has come, and nothing of its header for the client’s bytes', async () => {
  const { port } = await open(balanced);
  expect(await told(port, [`${line}hello`])).toBe('203.0.113.7 203.0.113.7 hello');
  expect(await told(port, [...line, 'hello'])).toBe('203.0.113.7 203.0.113.7 hello');
  expect(await told(port, ['PROXY TCP4 ::ffff:1.2.3.4 10.0.0.1 1 2\r\nhello'])).toBe('');
  expect(await told(port, ['PROXY UNKNOWN\r\nhello'])).toBe('127.0.0.1 127.0.0.1 hello');
});

it('lets nobody in from a balancer without a header', async () => {
  const { port } = await open(balanced);
  expect(await told(port, ['hello'])).toBe('');
  expect(await told(port, [])).toBe('');
});

it('believes no header from anybody else', async () => {
  const { port } = await open({ proxyProtocolFrom: ['192.0.2.0/24', '::1/128'] });
  expect(await told(port, [`${line}hello`])).toBe(`127.0.0.1 127.0.0.1 ${line}hello`);
});

it('counts the clients behind a balancer, not the balancer', async () => {
  const { port, limited } = await open({
    ...balanced,
    limits: { ...defaults.limits, maxConnectionsPerAddress: 1 },
  });
  const held: Socket[] = [];
  for (const client of ['203.0.113.7', '203.0.113.8']) {
    const socket = connect(port, '127.0.0.1');
    socket.write(line.replace('203.0.113.7', client));
    await once(socket, 'data');
    held.push(socket);
  }
  expect(await told(port, [`${line}hello`])).toBe('');
  expect(await told(port, [`${line}hello`])).toBe('');
  expect(limited).toEqual(['203.0.113.7 connection-limit']);
  for (const socket of held) socket.destroy();
});

it('holds each source to its rate, and an IPv6 network for one source', async () => {
  const { port, limited } = await open({
    ...balanced,
    limits: { ...defaults.limits, connectionsPerMinutePerAddress: 2 },
  });
  const from = (address: string) => told(port, [`PROXY TCP6 ${address} ::1 1 2\r\nx`]);
  expect(await from('2001:db8::1')).toContain('x');
  expect(await from('2001:db8::2')).toContain('x');
  expect(await from('2001:db8::3')).toBe('');
  expect(await from('2001:db8:0:1::1')).toContain('x');
  await vi.waitFor(() => expect(limited).toEqual(['2001:db8::3 connection-rate']));
});

it('listens on IPv6, and calls an IPv4 client of a socket for both by its IPv4 address', async () => {
  const { port } = await open({}, '::');
  expect(await told(port, ['x'], '::1')).toBe('::1 ::1 x');
  expect(await told(port, ['x'])).toBe('127.0.0.1 ::ffff:127.0.0.1 x');
});
