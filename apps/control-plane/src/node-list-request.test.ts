import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { nodeListRequest } from './node-list-request.ts';

let server: Server;
let port: number;
let asked = 0;
beforeAll(async () => {
  server = createServer((request, response) => {
    asked++;
    if (request.url === '/moved') response.writeHead(301, { location: '/list' }).end();
    else if (request.url === '/odd') response.socket?.end('HTTP/1.1 999 what\r\n\r\n');
    else if (request.url !== '/silent') response.end('list');
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});
const urlOf = (path: string) => new URL(`http://localhost:${port}${path}`);
const soon = () => AbortSignal.timeout(5_000);

test('a list is answered as a stream, a redirect is not followed', async () => {
  const request = nodeListRequest('allowed');
  const answer = await request(urlOf('/list'), soon());
  expect([answer.status, await answer.text()]).toEqual([200, 'list']);
  const moved = await request(urlOf('/moved'), soon());
  expect([moved.status, moved.headers.get('location')]).toEqual([301, '/list']);
  await moved.body?.cancel();
});

test('a name that resolves to an address of this network is not connected to, unless that is allowed', async () => {
  const before = asked;
  await expect(nodeListRequest('refused')(urlOf('/list'), soon())).rejects.toThrow('inner address');
  expect(asked).toBe(before);
});

test('silence ends with the signal, and no answer of HTTP is none', async () => {
  const request = nodeListRequest('allowed');
  await expect(request(urlOf('/silent'), AbortSignal.timeout(50))).rejects.toThrow();
  await expect(request(urlOf('/odd'), soon())).rejects.toThrow();
});
