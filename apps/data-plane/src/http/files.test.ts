import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import tls from 'node:tls';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { type Certificates, makeCertificates, openStand, type Stand } from './fixture/stand.ts';

let certificates: Certificates;
beforeAll(async () => {
  certificates = await makeCertificates();
});

const login = ['-u', 'acme:pâss:word'];
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

async function runningStand(): Promise<Stand> {
  const stand = await openStand(certificates);
  expect(await stand.apply()).toEqual({ ok: true, value: undefined });
  return stand;
}

const unfinished = async (stand: Stand) =>
  readdir(`${stand.home}/.sallyport-staging`).catch(() => [] as string[]);

describe('files over HTTPS, with curl', () => {
  it('uploads and downloads 20 MiB, byte by byte the same', async () => {
    await using stand = await runningStand();
    const bytes = randomBytes((20 << 20) + 4_321);
    await writeFile(stand.file('up'), bytes);
    const put = await stand.curl('/big.bin', ...login, '-T', stand.file('up'));
    expect([put.status, put.text]).toEqual([201, '']);
    expect(sha256(await readFile(`${stand.home}/big.bin`))).toBe(sha256(bytes));
    const get = await stand.curl('/big.bin', ...login, '-o', stand.file('down'));
    expect(get.status).toBe(200);
    expect(sha256(await readFile(stand.file('down')))).toBe(sha256(bytes));
    await vi.waitFor(() =>
      expect(stand.desk.sessions.map((seen) => seen.transfers)).toEqual([
        [{ direction: 'upload', path: '/big.bin', bytes: bytes.length, outcome: 'completed' }],
        [{ direction: 'download', path: '/big.bin', bytes: bytes.length, outcome: 'completed' }],
      ]),
    );
    expect((await stand.curl('/big.bin', ...login, '-T', stand.file('up'))).status).toBe(204);
    expect(await unfinished(stand)).toEqual([]);
  });

  it('takes a chunked body and an empty one', async () => {
    await using stand = await runningStand();
    await writeFile(stand.file('up'), 'chunked');
    const chunked = ['-H', 'Transfer-Encoding: chunked', '-T', stand.file('up')];
    expect((await stand.curl('/c', ...login, ...chunked)).status).toBe(201);
    expect(await readFile(`${stand.home}/c`, 'utf8')).toBe('chunked');
    await writeFile(stand.file('empty'), '');
    expect((await stand.curl('/e', ...login, '-T', stand.file('empty'))).status).toBe(201);
    expect((await stat(`${stand.home}/e`)).size).toBe(0);
    const get = await stand.curl('/e', ...login);
    expect([get.status, get.text, get.headers.get('content-length')]).toEqual([200, '', '0']);
  });

  it('sends what makes a file a file, and nothing of the server', async () => {
    await using stand = await runningStand();
    await writeFile(`${stand.home}/a b"é.html`, '<script>');
    const get = await stand.curl('/a%20b%22%C3%A9.html', ...login);
    expect(get.text).toBe('<script>');
    expect(Object.fromEntries(get.headers)).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': "attachment; filename*=UTF-8''a%20b%22%C3%A9.html",
      'content-length': '8',
      'accept-ranges': 'bytes',
      'cache-control': 'private, no-cache',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'referrer-policy': 'no-referrer',
      'strict-transport-security': 'max-age=31536000',
    });
    expect(get.headers.has('server')).toBe(false);
    const head = await stand.curl('/a%20b%22%C3%A9.html', ...login, '-I', '-o', '/dev/null');
    expect([head.status, head.text, head.headers.get('content-length')]).toEqual([200, '', '8']);
  });

  it('serves ranges and honours conditions', async () => {
    await using stand = await runningStand();
    await writeFile(`${stand.home}/f`, '0123456789');
    await utimes(`${stand.home}/f`, 1_700_000_000, 1_700_000_000);
    const range = await stand.curl('/f', ...login, '-r', '2-4');
    expect([range.status, range.text]).toEqual([206, '234']);
    expect(range.headers.get('content-range')).toBe('bytes 2-4/10');
    expect((await stand.curl('/f', ...login, '-r', '-3')).text).toBe('789');
    expect((await stand.curl('/f', ...login, '-r', '0-1,4-5')).status).toBe(200);
    const beyond = await stand.curl('/f', ...login, '-r', '10-');
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */10']);
    const etag = range.headers.get('etag') ?? '';
    const date = range.headers.get('last-modified') ?? '';
    const status = async (...headers: string[]) =>
      (await stand.curl('/f', ...login, ...headers.flatMap((header) => ['-H', header]))).status;
    expect(await status(`If-None-Match: ${etag}`)).toBe(304);
    expect(await status(`If-Modified-Since: ${date}`)).toBe(304);
    expect(await status('If-Match: "other"')).toBe(412);
    expect(await status('Range: bytes=0-0', `If-Range: ${etag}`)).toBe(206);
    expect(await status('Range: bytes=0-0', 'If-Range: "other"')).toBe(200);
    await writeFile(stand.file('up'), 'new');
    const put = (...headers: string[]) => stand.curl('/f', ...login, '-T', stand.file('up'), ...headers);
    expect((await put('-H', 'If-None-Match: *')).status).toBe(412);
    expect((await put('-H', 'If-Match: "other"')).status).toBe(412);
    expect((await put('-H', 'Content-Range: bytes 0-2/5')).status).toBe(409);
    expect((await put('-H', 'Content-Range: bytes 0-3/5')).status).toBe(400);
    expect(await readFile(`${stand.home}/f`, 'utf8')).toBe('0123456789');
    expect((await put('-H', `If-Match: ${etag}`)).status).toBe(204);
  });

  it('lists a directory as JSON and removes files and empty directories', async () => {
    await using stand = await runningStand();
    await mkdir(`${stand.home}/d/sub`, { recursive: true });
    await symlink('/etc/passwd', `${stand.home}/d/out`);
    await Promise.all(
      Array.from({ length: 300 }, (_, i) => writeFile(`${stand.home}/d/${i}`, 'x'.repeat(i))),
    );
    const list = await stand.curl('/d/', ...login);
    expect(list.headers.get('content-type')).toBe('application/json');
    const { path, entries } = JSON.parse(list.text) as { path: string; entries: { name: string }[] };
    expect(path).toBe('/d');
    expect(entries).toHaveLength(302);
    expect(entries.find((entry) => entry.name === '7')).toEqual({
      name: '7',
      kind: 'file',
      size: 7,
      modifiedAt: (await stat(`${stand.home}/d/7`)).mtime.toISOString(),
    });
    expect((await stand.curl('/d', ...login, '-I')).status).toBe(200);
    expect((await stand.curl('/d/out', ...login)).status).toBe(403);
    const remove = async (target: string) => (await stand.curl(target, ...login, '-X', 'DELETE')).status;
    expect(await remove('/d/sub')).toBe(204);
    expect(await remove('/d/7')).toBe(204);
    expect(await remove('/d/7')).toBe(404);
    expect(await remove('/')).toBe(403);
    expect(
      JSON.parse((await stand.curl('/', ...login)).text).entries.map((e: { name: string }) => e.name),
    ).toEqual(['d']);
  });

  it('answers problems in general words', async () => {
    await using stand = await runningStand();
    const missing = await stand.curl('/none', ...login);
    expect(missing.headers.get('content-type')).toBe('application/problem+json');
    expect(JSON.parse(missing.text)).toEqual({
      type: 'about:blank',
      title: 'No such file or directory.',
      status: 404,
      code: 'file-not-found',
    });
    const statusOf = async (path: string, ...flags: string[]) =>
      (await stand.curl(path, ...login, ...flags)).status;
    expect(await statusOf('/a%2Fb')).toBe(400);
    expect(await statusOf('/a%00')).toBe(400);
    expect(await statusOf('/a?b')).toBe(400);
    expect(await statusOf('/../../etc/passwd')).toBe(404);
    expect(await statusOf('/%2e%2e/%2e%2e/etc/passwd')).toBe(404);
    expect(await statusOf('/.sallyport-staging/')).toBe(400);
    expect(await statusOf('/', '-H', 'Host: a b')).toBe(400);
    await writeFile(stand.file('up'), 'x');
    expect(await statusOf('/none/f', '-T', stand.file('up'))).toBe(404);
    expect(await statusOf('/d/', '-X', 'PUT', '-d', 'x')).toBe(409);
    for (const method of ['POST', 'PATCH', 'TRACE']) {
      const refused = await stand.curl('/', ...login, '-X', method);
      expect([method, refused.status]).toEqual([method, 405]);
    }
  });

  it('keeps to the permissions of the account', async () => {
    await using stand = await runningStand();
    await writeFile(stand.file('up'), 'dropped');
    const drop = ['-u', 'drop:drop'];
    expect((await stand.curl('/f', ...drop, '-T', stand.file('up'))).status).toBe(201);
    expect((await stand.curl('/f', ...drop)).status).toBe(403);
    expect((await stand.curl('/', ...drop)).status).toBe(403);
    expect((await stand.curl('/f', ...drop, '-X', 'DELETE')).status).toBe(403);
    expect((await stand.curl('/f', ...drop, '-T', stand.file('up'))).status).toBe(409);
  });

  it('tells a client its refusal though the body is still coming', async () => {
    await using stand = await runningStand();
    await writeFile(stand.file('up'), Buffer.alloc(8 << 20));
    // Without and with waiting for 100 Continue.
    for (const expect100 of ['Expect:', 'Expect: 100-continue']) {
      const refused = await stand.curl('/f', '-u', 'acme:no', '-H', expect100, '-T', stand.file('up'));
      expect([refused.status, refused.headers.get('connection')]).toEqual([401, 'close']);
      const denied = await stand.curl('/no/f', ...login, '-H', expect100, '-T', stand.file('up'));
      expect(denied.status).toBe(404);
    }
    expect(await readdir(stand.home)).toEqual([]);
  });

  it('stores nothing of an upload that is cut', async () => {
    await using stand = await runningStand();
    await writeFile(`${stand.home}/f`, 'old');
    const basic = Buffer.from('acme:pâss:word').toString('base64');
    for (const [framing, body] of [
      ['Content-Length: 2000000', 'x'.repeat(1_500_000)],
      ['Transfer-Encoding: chunked', `${(1_500_000).toString(16)}\r\n${'x'.repeat(1_500_000)}\r\n`],
    ]) {
      const seen = stand.desk.sessions.length;
      const socket = tls.connect({ host: '127.0.0.1', port: stand.listener.port, ca: certificates.ca.pem });
      socket.on('error', () => {});
      socket.write(
        `PUT /f HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${basic}\r\n${framing}\r\n\r\n${body}`,
      );
      await vi.waitFor(async () => expect(await unfinished(stand)).toHaveLength(1));
      socket.end();
      await vi.waitFor(() => expect(stand.desk.sessions[seen]?.transfers[0]?.outcome).toBe('cut'));
      await vi.waitFor(async () => expect(await unfinished(stand)).toEqual([]));
      await vi.waitFor(() => expect(stand.desk.sessions[seen]?.closed).toBe(1));
      expect(await readFile(`${stand.home}/f`, 'utf8')).toBe('old');
    }
  });

  it('reports a download that the client leaves', async () => {
    await using stand = await runningStand();
    await writeFile(`${stand.home}/big`, Buffer.alloc(64 << 20));
    const basic = Buffer.from('acme:pâss:word').toString('base64');
    const socket = tls.connect({ host: '127.0.0.1', port: stand.listener.port, ca: certificates.ca.pem });
    socket.on('error', () => {});
    socket.write(`GET /big HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${basic}\r\n\r\n`);
    await new Promise((resolve) => socket.once('data', resolve));
    socket.destroy();
    await vi.waitFor(() => expect(stand.desk.sessions[0]?.transfers[0]?.outcome).toBe('cut'));
    await vi.waitFor(() => expect(stand.desk.sessions[0]?.closed).toBe(1));
  });
});
