import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:tls';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { asAcme, ask } from './fixture/client.ts';
import { type Certificates, makeCertificates, openStand, type Stand } from './fixture/stand.ts';

let certificates: Certificates;
beforeAll(async () => {
  certificates = await makeCertificates();
});

async function runningStand(options: Parameters<typeof openStand>[2] = {}): Promise<Stand> {
  const stand = await openStand(certificates, {}, options);
  await stand.apply();
  return stand;
}

/** Status codes of all answers on a connection that says exactly this; it is closed by the server or after a while. */
async function statusesOf(stand: Stand, text: string): Promise<number[]> {
  const socket = connect({ host: '127.0.0.1', port: stand.listener.port, ca: certificates.ca.pem });
  socket.on('error', () => {});
  let answer = '';
  socket.on('data', (bytes) => {
    answer += bytes.toString('latin1');
  });
  await once(socket, 'secureConnect');
  socket.end(text);
  await once(socket, 'close');
  return [...answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status));
}

const put = (headers: string, body: string) =>
  `PUT /f HTTP/1.1\r\nHost: x\r\nAuthorization: ${asAcme.authorization}\r\n${headers}\r\n\r\n${body}`;
const second = `PUT /g HTTP/1.1\r\nHost: x\r\nAuthorization: ${asAcme.authorization}\r\nContent-Length: 1\r\n\r\nx`;

describe('a request whose end can be read in two ways', () => {
  it.each([
    ['length and chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked', `0\r\n\r\n${second}`],
    ['two lengths', 'Content-Length: 1\r\nContent-Length: 2', `x${second}`],
    ['a list of lengths', 'Content-Length: 1, 2', `x${second}`],
    ['a signed length', 'Content-Length: +1', `x${second}`],
    ['an unknown coding', 'Transfer-Encoding: xchunked', `1\r\nx\r\n0\r\n\r\n${second}`],
    ['chunks before another coding', 'Transfer-Encoding: chunked, gzip', `1\r\nx\r\n0\r\n\r\n${second}`],
    ['a folded header', 'X: a\r\n Transfer-Encoding: chunked\r\nContent-Length: 1', `x${second}`],
    ['a space before the colon', 'Transfer-Encoding : chunked', `1\r\nx\r\n0\r\n\r\n${second}`],
    ['a bare line feed', 'X: a\nTransfer-Encoding: chunked', `1\r\nx\r\n0\r\n\r\n${second}`],
    ['a NUL in a header', 'X: a\0b\r\nContent-Length: 1', `x${second}`],
    ['a chunk of a wrong size', 'Transfer-Encoding: chunked', `g\r\nx\r\n0\r\n\r\n${second}`],
  ])('is refused and ends the connection: %s', async (_, headers, body) => {
    await using stand = await runningStand();
    const statuses = await statusesOf(stand, put(headers, body));
    expect(statuses.filter((status) => status < 400)).toEqual([]);
    expect((await readdir(stand.home)).filter((name) => !name.startsWith('.'))).toEqual([]);
    expect((await stand.curl('/', '-u', 'acme:pâss:word')).status).toBe(200);
  });
});

describe('a path that leads out', () => {
  it.each(['GET', 'HEAD', 'PUT', 'DELETE', 'PROPFIND', 'MKCOL', 'LOCK', 'PROPPATCH'])(
    'of %s does not',
    async (method) => {
      await using stand = await runningStand();
      await writeFile(`${stand.root}/outside`, 'secret');
      for (const path of [
        '/..%2foutside',
        '/%2e%2e%2foutside',
        '/a%00',
        '/a/..%5c..%2foutside',
        '/%c0%ae%c0%ae/outside',
        '/%',
      ]) {
        const answer = await ask(stand, certificates, path, {
          method,
          headers: { ...asAcme, depth: '0' },
          ...(method === 'PUT' ? { body: 'x' } : {}),
        });
        expect([path, answer.status, answer.text.includes('secret')]).toEqual([path, 400, false]);
      }
      const dots = await ask(stand, certificates, '/../outside', {
        method,
        headers: { ...asAcme, depth: '0' },
      });
      expect(dots.text).not.toContain('secret');
      expect((await readdir(stand.root)).includes('outside')).toBe(true);
    },
  );

  it('of any length is refused', async () => {
    await using stand = await runningStand();
    const deep = `/${'a/'.repeat(2_500)}`;
    expect((await ask(stand, certificates, deep, { headers: asAcme })).status).toBe(400);
    expect((await ask(stand, certificates, `/${'a'.repeat(15_000)}`, { headers: asAcme })).status).toBe(400);
  });
});

it('ends an upload that trickles in only to hold its place', async () => {
  await using stand = await runningStand({ pace: { windowMs: 200, minBytes: 1_000 } });
  const socket = connect({ host: '127.0.0.1', port: stand.listener.port, ca: certificates.ca.pem });
  socket.on('error', () => {});
  socket.write(put('Content-Length: 100000', 'x'));
  const trickle = setInterval(() => socket.write('x'), 20);
  try {
    await once(socket, 'close');
  } finally {
    clearInterval(trickle);
  }
  await vi.waitFor(() => expect(stand.desk.sessions[0]?.transfers[0]?.outcome).toBe('cut'));
  expect((await ask(stand, certificates, '/f', { headers: asAcme })).status).toBe(404);
});
