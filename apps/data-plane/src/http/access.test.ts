import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import tls from 'node:tls';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { type Certificates, makeCertificates, openStand, type Stand } from './fixture/stand.ts';

let certificates: Certificates;
beforeAll(async () => {
  certificates = await makeCertificates();
});

const login = ['-u', 'acme:pâss:word'];
const withCertificate = (stand: Stand, name: 'alice' | 'stranger') => ['--cert', stand.file(`${name}.pem`)];

/** A client that sends its requests on one connection. */
function oneConnection(stand: Stand) {
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca: certificates.ca.pem });
  return {
    async get(userPass?: string) {
      const authorization = `Basic ${Buffer.from(userPass ?? '').toString('base64')}`;
      const request = https.get(stand.url('/'), {
        agent,
        headers: userPass === undefined ? {} : { authorization },
      });
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      response.resume();
      await once(response, 'end');
      return { status: response.statusCode, connection: response.headers.connection };
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}

describe('logging in over HTTPS, with curl', () => {
  it('asks everybody in the same words, whatever was wrong', async () => {
    await using stand = await openStand(certificates);
    await stand.apply();
    const answers = await Promise.all(
      [
        [],
        ['-u', 'acme:wrong'],
        ['-u', 'nobody:wrong'],
        ['-u', 'alice:'],
        ['-H', 'Authorization: Bearer abc'],
        ['-H', 'Authorization: Basic ???'],
      ].map((flags) => stand.curl('/', ...flags)),
    );
    const [first] = answers;
    for (const answer of answers) {
      expect([answer.status, answer.text]).toEqual([401, first?.text]);
      const { date: _, ...headers } = Object.fromEntries(answer.headers);
      const { date: __, ...expected } = Object.fromEntries(first?.headers ?? []);
      expect(headers).toEqual(expected);
    }
    expect(first?.headers.get('www-authenticate')).toBe('Basic realm="files", charset="UTF-8"');
    expect(stand.desk.sessions).toEqual([]);
  });

  it('refuses two Authorization headers', async () => {
    await using stand = await openStand(certificates);
    await stand.apply();
    const two = ['-H', 'Authorization: Basic YTpi', '-H', 'Authorization: Basic YTpj'];
    expect((await stand.curl('/', ...two)).status).toBe(400);
    expect(stand.desk.asked).toEqual([]);
  });

  it('judges one password once per connection, and another one anew', async () => {
    await using stand = await openStand(certificates);
    await stand.apply();
    using client = oneConnection(stand);
    for (let round = 0; round < 3; round++) expect((await client.get('acme:pâss:word')).status).toBe(200);
    expect(stand.desk.asked).toEqual(['acme']);
    expect((await client.get('drop:drop')).status).toBe(403);
    expect(stand.desk.sessions.map((seen) => seen.closed)).toEqual([1, 0]);
    expect((await client.get('acme:no')).status).toBe(401);
    expect((await client.get()).status).toBe(401);
    expect((await client.get('drop:drop')).status).toBe(403);
    expect(stand.desk.asked).toEqual(['acme', 'drop', 'acme']);
    client[Symbol.dispose]();
    await vi.waitFor(() => expect(stand.desk.sessions.map((seen) => seen.closed)).toEqual([1, 1]));
  });

  it('closes after as many refusals as the limits allow', async () => {
    await using stand = await openStand(certificates);
    await stand.apply({ limits: { maxAuthAttempts: 2 } });
    using client = oneConnection(stand);
    expect(await client.get('acme:no')).toEqual({ status: 401, connection: 'keep-alive' });
    expect(await client.get('acme:no')).toEqual({ status: 401, connection: 'close' });
  });

  it('judges no login that was sent ahead of the refusal that closes the connection', async () => {
    await using stand = await openStand(certificates);
    await stand.apply({ limits: { maxAuthAttempts: 2 } });
    const { port } = new URL(stand.url('/'));
    const socket = tls.connect({ port: Number(port), host: '127.0.0.1', ca: certificates.ca.pem });
    socket.on('error', () => {});
    const request = (userPass: string) =>
      `GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic ${Buffer.from(userPass).toString('base64')}\r\n\r\n`;
    socket.write(['acme:1', 'acme:2', 'acme:pâss:word'].map(request).join(''));
    let answers = '';
    for await (const chunk of socket) answers += chunk;
    expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 401', 'HTTP/1.1 401']);
    expect(stand.desk.sessions).toEqual([]);
  });

  it('takes a certificate alone, with a password, or neither, as the mode says', async () => {
    await using stand = await openStand(certificates);
    await writeFile(`${stand.home}/f`, 'x');
    const alice = withCertificate(stand, 'alice');
    const stranger = withCertificate(stand, 'stranger');
    const statusOf = async (...flags: string[]) => (await stand.curl('/f', ...flags)).status;

    await stand.apply({ clientCertificate: 'disabled' });
    expect([await statusOf(...alice), await statusOf(...login)]).toEqual([401, 200]);

    await stand.apply({ clientCertificate: 'optional' });
    expect(await statusOf(...alice)).toBe(200);
    expect(await statusOf(...login)).toBe(200);
    expect(await statusOf(...login, ...stranger)).toBe(200);
    expect(await statusOf(...stranger)).toBe(401);
    expect(await statusOf()).toBe(401);
    expect(stand.desk.sessions.map((seen) => seen.session.proofs)).toEqual([
      ['password'],
      ['credential'],
      ['password'],
      ['password'],
    ]);

    await stand.apply({ clientCertificate: 'required' });
    expect(await statusOf(...alice)).toBe(200);
    // A certificate of somebody else is none of this account's.
    expect(await statusOf(...alice, ...login)).toBe(401);
  });

  it('closes with 403 before it reads, where a certificate is required and none is good', async () => {
    await using stand = await openStand(certificates);
    await stand.apply({ clientCertificate: 'required' });
    for (const flags of [login, [...login, ...withCertificate(stand, 'stranger')]]) {
      const refused = await stand.curl('/', ...flags);
      expect(refused.status).toBe(403);
      expect(refused.headers.get('connection')).toBe('close');
      expect(JSON.parse(refused.text)).toMatchObject({ status: 403, code: 'certificate-required' });
    }
    // Over HTTP/2 an answer needs a request to belong to; what that asks for does not matter.
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const refused = await stand.curl('/f', '--http2', '-X', method, '-d', 'body', ...login);
      expect(refused.status).toBe(403);
      expect(JSON.parse(refused.text)).toMatchObject({ code: 'certificate-required' });
    }
    expect(stand.desk.asked).toEqual([]);
    expect(stand.notices.map(({ kind, outcome, reason }) => [kind, outcome, reason])).toEqual([
      ['listener', 'refused', 'credential-missing'],
      ['listener', 'refused', 'credential-invalid'],
      ...Array(3).fill(['listener', 'refused', 'credential-missing']),
    ]);
  });

  it('lets a certificate of several accounts name none of them', async () => {
    const { alice } = certificates;
    await using stand = await openStand(certificates, {
      registered: [
        { account: 'alice', certificate: alice },
        { account: 'acme', certificate: alice },
      ],
    });
    await stand.apply({ clientCertificate: 'optional' });
    const both = withCertificate(stand, 'alice');
    expect((await stand.curl('/', ...both)).status).toBe(401);
    expect((await stand.curl('/', ...both, ...login)).status).toBe(200);
    expect(stand.desk.sessions.map((seen) => seen.session.proofs)).toEqual([['password', 'credential']]);
  });
});

describe('a session that ends', () => {
  it('takes its connection with it, a running download too', async () => {
    await using stand = await openStand(certificates);
    await stand.apply();
    await writeFile(`${stand.home}/big`, Buffer.alloc(32 << 20));
    const basic = Buffer.from('acme:pâss:word').toString('base64');
    const request = https.get(stand.url('/big'), {
      ca: certificates.ca.pem,
      headers: { authorization: `Basic ${basic}` },
    });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    stand.desk.sessions[0]?.end('account-disabled');
    response.resume();
    await expect(once(response, 'end')).rejects.toThrow('aborted');
    await vi.waitFor(() => expect(stand.desk.sessions[0]?.transfers[0]?.outcome).toBe('cut'));
    await vi.waitFor(() => expect(stand.desk.sessions[0]?.closed).toBe(1));
  });

  it('refuses new requests while it drains', async () => {
    await using stand = await openStand(certificates);
    await stand.apply();
    await writeFile(`${stand.home}/big`, Buffer.alloc(4 << 20));
    const url = stand.url('/big');
    const two = stand.curl('/big', ...login, '--limit-rate', '4M', '-o', stand.file('down'), url);
    await vi.waitFor(() => expect(stand.desk.sessions).toHaveLength(1));
    const [seen] = stand.desk.sessions;
    if (seen) seen.operations = 'refused';
    const answer = await two;
    expect(answer.status).toBe(503);
    expect(seen?.transfers[0]?.outcome).toBe('completed');
  });
});
