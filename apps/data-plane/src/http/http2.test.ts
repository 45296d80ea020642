import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { frame, frameType, headerBlock, rawHttp2, request, reset } from './fixture/h2-frames.ts';
import { type Certificates, makeCertificates, openStand, type Stand } from './fixture/stand.ts';

let certificates: Certificates;
beforeAll(async () => {
  certificates = await makeCertificates();
});

const login = ['--http2', '-u', 'acme:pâss:word'];
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

async function clientOf(stand: Stand): Promise<ClientHttp2Session> {
  const client = connect(stand.url(), { ca: certificates.ca.pem });
  client.on('error', () => {});
  await once(client, 'connect');
  return client;
}

/** Status of a GET; 0 where the stream came to no answer. */
async function statusOf(client: ClientHttp2Session, authorization: string, path = '/'): Promise<number> {
  const stream = client.request({ ':path': path, authorization });
  stream.on('error', () => {});
  let status = 0;
  stream.on('response', (headers) => {
    status = Number(headers[':status']);
  });
  stream.resume();
  await once(stream, 'close');
  return status;
}

describe('HTTP/2', () => {
  it('carries files up and down, and is agreed on by ALPN beside HTTP/1.1', async () => {
    await using stand = await openStand(certificates);
    await stand.apply();
    const bytes = randomBytes((8 << 20) + 123);
    await writeFile(stand.file('up'), bytes);
    const put = await stand.curl('/f', ...login, '-T', stand.file('up'));
    expect(put.status).toBe(201);
    const get = await stand.curl('/f', ...login, '-o', stand.file('down'));
    expect(get.status).toBe(200);
    expect(sha256(await readFile(stand.file('down')))).toBe(sha256(bytes));
    expect(sha256(await readFile(`${stand.home}/f`))).toBe(sha256(bytes));
    expect((await stand.curl('/f', ...login, '-r', '2-4')).status).toBe(206);
    const version = async (flag: string) =>
      (
        await stand.curl(
          '/f',
          ...login,
          flag,
          '-o',
          '/dev/null',
          '-D',
          '/dev/null',
          '-w',
          '%{http_version}\n--curl--%{http_code}',
        )
      ).text;
    expect([await version('--http2'), await version('--http1.1')]).toEqual(['2', '1.1']);
    await vi.waitFor(() => expect(stand.desk.sessions.every(({ closed }) => closed === 1)).toBe(true));
  });

  it('tells a refusal though the body is still coming', async () => {
    await using stand = await openStand(certificates);
    await stand.apply();
    await writeFile(stand.file('up'), Buffer.alloc(8 << 20));
    expect((await stand.curl('/f', '--http2', '-u', 'acme:no', '-T', stand.file('up'))).status).toBe(401);
    expect((await stand.curl('/no/f', ...login, '-T', stand.file('up'))).status).toBe(404);
  });

  it('judges requests that come together once, and keeps the connection for one login', async () => {
    await using stand = await openStand(certificates);
    await stand.apply();
    await writeFile(`${stand.home}/big`, Buffer.alloc(64 << 20));
    const client = await clientOf(stand);
    const own = basic('acme:pâss:word');
    expect(await Promise.all(Array.from({ length: 20 }, () => statusOf(client, own)))).toEqual(
      Array.from({ length: 20 }, () => 200),
    );
    expect(stand.desk.asked).toEqual(['acme']);
    const running = client.request({ ':path': '/big', authorization: own });
    running.on('error', () => {});
    await once(running, 'response');
    expect(await statusOf(client, basic('drop:drop'))).toBe(421);
    running.close(constants.NGHTTP2_CANCEL);
    await vi.waitFor(async () => expect(await statusOf(client, basic('drop:drop'))).toBe(403));
    stand.desk.sessions.at(-1)?.end('account-disabled');
    await once(client, 'close');
  });

  it('tries no more of the logins that come together than there may be', async () => {
    await using stand = await openStand(certificates);
    await stand.apply({ limits: { maxAuthAttempts: 3 } });
    const client = await clientOf(stand);
    await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) => statusOf(client, basic(`acme:wrong ${n}`))),
    );
    expect(stand.desk.asked).toHaveLength(3);
    client.destroy();
  });

  it.each(['reset', 'cut'])('stores nothing of an upload whose stream is %s', async (how) => {
    await using stand = await openStand(certificates);
    await stand.apply();
    const raw = await rawHttp2(stand.listener.port as number, certificates.ca.pem);
    raw.write(request(1, { ':method': 'PUT', ':path': '/f', authorization: basic('acme:pâss:word') }, 4));
    raw.write(frame(frameType.data, 0, 1, Buffer.alloc(10_000)));
    await vi.waitFor(async () => expect(await readdir(`${stand.home}/.sallyport-staging`)).toHaveLength(1));
    if (how === 'reset') raw.write(reset(1));
    else raw.destroy();
    await vi.waitFor(() => expect(stand.desk.sessions[0]?.transfers[0]?.outcome).toBe('cut'));
    expect((await stand.curl('/f', ...login)).status).toBe(404);
    raw.destroy();
    await vi.waitFor(() => expect(stand.desk.sessions[0]?.closed).toBe(1));
  });

  it.each([
    ['streams that are opened only to be reset', (id: number) => [request(id, {}), reset(id)]],
    [
      'a header without an end',
      (id: number) => [frame(id === 1 ? 1 : 9, 0, 1, headerBlock({ a: 'b'.repeat(100) }))],
    ],
    ['bytes that are no frames', () => [randomBytes(64)]],
    ['streams that go back', () => [request(3, {}), request(1, {})]],
  ])('ends a connection of %s, and goes on', async (_, next) => {
    await using stand = await openStand(certificates);
    await stand.apply();
    const raw = await rawHttp2(stand.listener.port as number, certificates.ca.pem);
    const closed = once(raw, 'close');
    for (let id = 1; id < 4_000 && raw.writable; id += 2) {
      raw.write(Buffer.concat(next(id)));
      if (id % 100 === 1) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await closed;
    expect((await stand.curl('/', ...login)).status).toBe(200);
  });
});
