import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { until } from './fixture/stage.ts';
import { readInto } from './packet-reader.ts';

// This pins what Node keeps of `onread` on a socket that it has made itself: a Node that changes it shows here, and
// would cost no more than speed.

let client: Socket;
let accepted: Socket;
let close: () => void;
beforeEach(async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('no port');
  const coming = once(server, 'connection');
  client = connect(address.port, '127.0.0.1');
  [accepted] = (await coming) as [Socket];
  close = () => {
    client.destroy();
    accepted.destroy();
    server.close();
  };
});
afterEach(() => close());

it('reads into one buffer from then on, and still hears the end', async () => {
  const before: Buffer[] = [];
  accepted.on('data', (chunk) => before.push(chunk));
  client.write('first');
  await until(() => Buffer.concat(before).toString() === 'first');

  const buffer = Buffer.alloc(4_096);
  const received: Buffer[] = [];
  expect(readInto(accepted, buffer, (count) => received.push(Buffer.from(buffer.subarray(0, count))))).toBe(
    true,
  );
  const content = randomBytes(200_000);
  const ended = once(accepted, 'end');
  client.end(content);
  await ended;
  expect(content.equals(Buffer.concat(received))).toBe(true);
  expect(Math.max(...received.map((chunk) => chunk.length))).toBeLessThanOrEqual(4_096);
  expect(Buffer.concat(before).toString()).toBe('first');
});

it('stops while the socket is paused', async () => {
  accepted.on('data', () => {});
  const buffer = Buffer.alloc(4_096);
  let received = 0;
  expect(
    readInto(accepted, buffer, (count) => {
      received += count;
      accepted.pause();
    }),
  ).toBe(true);
  client.write(Buffer.alloc(50_000));
  while (received < 50_000) {
    const before = received;
    await until(() => received > before || received === 50_000);
    expect(received - before).toBeLessThanOrEqual(4_096);
    accepted.resume();
    if (received === 50_000) break;
  }
  expect(received).toBe(50_000);
});

it('leaves a socket alone that holds something back', async () => {
  accepted.pause();
  client.write('waiting');
  accepted.read(0);
  await until(() => accepted.readableLength > 0);
  expect(readInto(accepted, Buffer.alloc(10), () => {})).toBe(false);
});
