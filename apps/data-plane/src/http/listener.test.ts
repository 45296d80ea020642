import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import net, { type AddressInfo } from 'node:net';
import tls from 'node:tls';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { type Certificates, makeCertificates, openStand, type Stand } from './fixture/stand.ts';

let certificates: Certificates;
beforeAll(async () => {
  certificates = await makeCertificates();
});

const login = ['-u', 'acme:pâss:word'];

const encryptionOptional = { encryption: 'optional' } as const;

/** All that the server sends on a connection of its own until it closes it. */
async function conversation(stand: Stand, text: string): Promise<string> {
  const socket = net.connect({ host: '127.0.0.1', port: stand.listener.port as number });
  socket.on('error', () => {});
  socket.write(text);
  let answer = '';
  socket.on('data', (bytes) => {
    answer += bytes.toString('latin1');
  });
  await once(socket, 'close');
  return answer;
}

async function presented(stand: Stand): Promise<string> {
  const socket = tls.connect({ host: '127.0.0.1', port: stand.listener.port, ca: certificates.ca.pem });
  await once(socket, 'secureConnect');
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return String(subject.CN);
}

describe('an HTTP listener', () => {
  it('presents another certificate to new connections and keeps the old ones', async () => {
    await using stand = await openStand(certificates);
    await stand.apply();
    const { port } = stand.listener;
    await writeFile(`${stand.home}/big`, Buffer.alloc(4 << 20));
    const running = stand.curl('/big', ...login, '--limit-rate', '4M', '-o', stand.file('down'));
    await vi.waitFor(() => expect(stand.desk.sessions).toHaveLength(1));
    expect(await presented(stand)).toBe('server');
    expect((await stand.apply({}, certificates.other)).ok).toBe(true);
    expect(stand.listener.port).toBe(port);
    expect(await presented(stand)).toBe('other');
    expect((await running).status).toBe(200);
    expect((await readFile(stand.file('down'))).length).toBe(4 << 20);
  });

  it('refuses a port in use and goes on as it was', async () => {
    await using stand = await openStand(certificates);
    const taken = net.createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const inUse = { ok: false, fault: { code: 'item-port-in-use' } };
    expect(await stand.apply({ port })).toMatchObject(inUse);
    expect(stand.listener.port).toBeUndefined();
    await stand.apply();
    const before = stand.listener.port;
    expect(await stand.apply({ port }, certificates.other)).toMatchObject(inUse);
    expect(stand.listener.port).toBe(before);
    expect(await presented(stand)).toBe('server');
    expect((await stand.curl('/', ...login)).status).toBe(200);
    taken.close();
    await once(taken, 'close');
    expect(await stand.apply({ port })).toEqual({ ok: true, value: undefined });
    expect(stand.listener.port).toBe(port);
    expect((await stand.curl('/', ...login)).status).toBe(200);
    await expect(
      once(net.connect({ host: '127.0.0.1', port: before as number }), 'connect'),
    ).rejects.toThrow();
  });

  it('refuses to be HTTPS without a certificate, and an address that is not here', async () => {
    await using stand = await openStand(certificates);
    expect(await stand.apply({}, 'none')).toMatchObject({ ok: false, fault: { code: 'item-key-missing' } });
    expect(await stand.apply({ host: '192.0.2.1' })).toMatchObject({
      ok: false,
      fault: { code: 'item-engine-refused' },
    });
  });

  it('closes while suspended, answers 503 while draining, and comes back', async () => {
    await using stand = await openStand(certificates);
    await stand.apply();
    await stand.apply({ state: 'draining' });
    const draining = await stand.curl('/', ...login);
    expect([draining.status, draining.headers.get('connection')]).toEqual([503, 'close']);
    await stand.apply({ state: 'suspended' });
    expect(stand.listener.port).toBeUndefined();
    await stand.apply();
    expect((await stand.curl('/', ...login)).status).toBe(200);
    await stand.listener.stopAccepting();
    expect(stand.listener.port).toBeUndefined();
  });

  it('holds the limits of connections, in all and per address', async () => {
    await using stand = await openStand(certificates);
    await stand.apply({ limits: { maxConnectionsPerAddress: 2 } });
    const connect = () => net.connect({ host: '127.0.0.1', port: stand.listener.port as number });
    const first = connect();
    const second = connect();
    await Promise.all([once(first, 'connect'), once(second, 'connect')]);
    const third = connect();
    third.on('error', () => {});
    await once(third, 'close');
    first.destroy();
    await vi.waitFor(async () => expect((await stand.curl('/', ...login)).status).toBe(200));
    second.destroy();
  });

  it('ends connections that do not log in, or send their header too slowly', async () => {
    await using stand = await openStand(certificates, encryptionOptional);
    await stand.apply({ http: { plain: true, hsts: true }, limits: { loginGraceSeconds: 1 } });
    const began = Date.now();
    await Promise.all([
      conversation(stand, ''),
      conversation(stand, '\x16\x03\x01'),
      conversation(stand, 'GET / HTTP/1.1\r\nHost: x\r\nX'),
      conversation(stand, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    ]);
    expect(Date.now() - began).toBeLessThan(5_000);
  });

  it('ends an upload and a download that do not move', async () => {
    await using stand = await openStand(certificates, encryptionOptional);
    await stand.apply({ http: { plain: true, hsts: true }, limits: { idleSeconds: 1 } }, 'none');
    const authorization = `Authorization: Basic ${Buffer.from('acme:pâss:word').toString('base64')}`;
    await conversation(stand, `PUT /f HTTP/1.1\r\nHost: x\r\n${authorization}\r\nContent-Length: 9\r\n\r\nx`);
    await vi.waitFor(() => expect(stand.desk.sessions[0]?.transfers[0]?.outcome).toBe('cut'));

    await writeFile(`${stand.home}/big`, Buffer.alloc(64 << 20));
    const reader = net.connect({ host: '127.0.0.1', port: stand.listener.port as number });
    reader.on('error', () => {});
    reader.pause();
    reader.write(`GET /big HTTP/1.1\r\nHost: x\r\n${authorization}\r\n\r\n`);
    await vi.waitFor(() => expect(stand.desk.sessions[1]?.transfers[0]?.outcome).toBe('cut'), 10_000);
    reader.destroy();
  });

  it('refuses more headers than it takes, and does not lose one', async () => {
    await using stand = await openStand(certificates);
    await stand.apply();
    const many = Array.from({ length: 120 }, (_, index) => ['-H', `X-${index}: y`]).flat();
    expect((await stand.curl('/', ...many, ...login)).status).toBe(400);
    expect((await stand.curl('/', ...many.slice(0, 100), ...login)).status).toBe(200);
  });

  it('speaks TLS and clear HTTP behind a balancer that names the client', async () => {
    await using stand = await openStand(certificates, encryptionOptional);
    for (const plain of [false, true]) {
      await stand.apply({ http: { plain, hsts: true }, proxyProtocolFrom: ['127.0.0.1/32'] });
      expect((await stand.curl('/', ...login, '--haproxy-protocol')).status).toBe(200);
      expect((await stand.curl('/', ...login)).status).toBe(0);
    }
    expect((await stand.curlClear('/', ...login, '--haproxy-protocol')).status).toBe(200);
  });

  it('has no word for a connection that says none, and one for a handshake that fails', async () => {
    await using stand = await openStand(certificates);
    await stand.apply();
    const silent = net.connect({ host: '127.0.0.1', port: stand.listener.port as number });
    await once(silent, 'connect');
    silent.end();
    await once(silent.resume(), 'close');
    await conversation(stand, 'GET / HTTP/1.1\r\n\r\n');
    await vi.waitFor(() => expect(stand.notices).toHaveLength(1));
    expect(stand.notices).toMatchObject([{ kind: 'listener', outcome: 'failed' }]);
  });

  it('survives garbage', async () => {
    await using stand = await openStand(certificates, encryptionOptional);
    for (const plain of [true, false]) {
      await stand.apply({ http: { plain, hsts: true }, limits: { loginGraceSeconds: 2 } });
      const garbage = [
        '\x16\x03\x01\x02\x00\x01\x00',
        '\x16\xff\xff\xff\xff\xff\xff\xff\xff\xff',
        '\x00\x01\x02\x03',
        'GET\r\n\r\n',
        'GET / HTTP/9.9\r\n\r\n',
        'GET / HTTP/1.1\r\n\r\n',
        `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
        'PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
        'PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
        'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n',
        'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n',
        'GET / HTTP/1.1\r\nHost: x\r\nExpect: other\r\n\r\n',
        'GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(100),
        'OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
        `GET / HTTP/1.1\r\nHost: x\r\n${'X: y\r\n'.repeat(200)}\r\n`,
        'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      ];
      await Promise.all(garbage.map((text) => conversation(stand, text)));
      expect((await stand.curl('/', ...login)).status).toBe(200);
    }
  });
});

describe('HTTP in clear', () => {
  const clear = { http: { plain: true, hsts: true } };

  it('sends requests without credentials to TLS, on the same port', async () => {
    await using stand = await openStand(certificates);
    await stand.apply(clear);
    const moved = await stand.curlClear('/a%20b');
    expect(moved.status).toBe(308);
    expect(moved.headers.get('location')).toBe(stand.url('/a%20b'));
    expect(moved.headers.has('strict-transport-security')).toBe(false);
    expect((await stand.curl('/', ...login)).status).toBe(200);
    const strange = await conversation(stand, 'GET / HTTP/1.1\r\nHost: evil"<>\r\nConnection: close\r\n\r\n');
    expect(strange).not.toContain('evil');
  });

  it('refuses credentials that came in clear, and says that they are exposed', async () => {
    await using stand = await openStand(certificates);
    await stand.apply(clear);
    const refused = await stand.curlClear('/', ...login);
    expect([refused.status, JSON.parse(refused.text).code]).toEqual([403, 'tls-required']);
    expect(stand.notices).toEqual([
      {
        kind: 'credential-exposed',
        server: 'srv-http',
        source: '127.0.0.1',
        account: 'acme',
        outcome: 'refused',
        reason: 'tls-required',
      },
    ]);
  });

  it('has nowhere to send them without a certificate', async () => {
    await using stand = await openStand(certificates);
    await stand.apply(clear, 'none');
    expect((await stand.curlClear('/')).status).toBe(403);
  });

  it('serves where the rules let it', async () => {
    await using stand = await openStand(certificates, encryptionOptional);
    await stand.apply(clear, 'none');
    await writeFile(stand.file('up'), 'in clear');
    expect((await stand.curlClear('/')).status).toBe(401);
    expect((await stand.curlClear('/f', ...login, '-T', stand.file('up'))).status).toBe(201);
    expect((await stand.curlClear('/f', ...login)).text).toBe('in clear');
    expect((await stand.curl('/f', ...login)).status).toBe(0);
  });

  it('is not spoken unless it is asked for', async () => {
    await using stand = await openStand(certificates, encryptionOptional);
    await stand.apply();
    expect((await stand.curlClear('/', ...login)).status).toBe(0);
    expect(stand.desk.asked).toEqual([]);
  });
});
