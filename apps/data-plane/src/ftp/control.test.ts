import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import { beforeAll, describe, expect, test } from 'vitest';
import { viewOf } from '../tls/fixture/zone.ts';
import { type Certificates, definition, makeCertificates, RawClient, serve } from './fixture/served.ts';

let certificates: Certificates;
beforeAll(async () => {
  certificates = await makeCertificates();
});

const short = {
  connectionsPerMinutePerAddress: 6_000,
  maxConnections: 10,
  maxConnectionsPerAddress: 10,
  loginGraceSeconds: 60,
  idleSeconds: 60,
  maxAuthAttempts: 2,
};

describe('before the login', () => {
  test('USER in clear is refused with the way out, and never reaches a password', async () => {
    await using served = await serve(certificates);
    const client = await RawClient.connect(served.port);
    expect(await client.reply()).toBe('220 Ready.');
    expect(await client.say('USER anna')).toMatch(/^530 .*TLS/);
    expect(await client.say('PASS correct horse')).toMatch(/^503/);
    expect(served.desk.passwords).toEqual([]);
  });

  test('what follows AUTH TLS in clear is thrown away', async () => {
    await using served = await serve(certificates);
    const client = await RawClient.connect(served.port);
    await client.reply();
    client.socket.write('AUTH TLS\r\nUSER anna\r\nPASS correct horse\r\nDELE a\r\n');
    expect(await client.reply()).toMatch(/^234/);
    const secured = await client.handshake(certificates.ca);
    expect(await secured.say('PASS correct horse')).toMatch(/^503/);
    expect(await secured.say('PWD')).toMatch(/^530/);
    expect(served.desk.passwords).toEqual([]);
  });

  test('a USER said in clear counts no more inside TLS', async () => {
    await using served = await serve(certificates, {
      ftp: { plain: true },
      view: viewOf({ encryption: 'optional' }),
    });
    const client = await RawClient.connect(served.port);
    await client.reply();
    expect(await client.say('USER anna')).toMatch(/^331/);
    const secured = await client.secure(certificates.ca);
    expect(await secured.say('PASS correct horse')).toMatch(/^503/);
  });

  test('failed logins end in 421', async () => {
    await using served = await serve(certificates, { server: { limits: short } });
    const client = await (await connected(served.port)).secure(certificates.ca);
    await client.say('USER anna');
    expect(await client.say('PASS wrong')).toMatch(/^530/);
    await client.say('USER nobody');
    expect(await client.say('PASS wrong')).toMatch(/^421/);
    expect(await client.reply()).toBe('closed');
  });

  test('the time to log in and the time between commands are bounded', async () => {
    await using served = await serve(certificates, {
      server: { limits: { ...short, loginGraceSeconds: 1, idleSeconds: 1 } },
    });
    const silent = await connected(served.port);
    const handshaking = await connected(served.port);
    await handshaking.say('AUTH TLS');
    const client = await (await connected(served.port)).secure(certificates.ca);
    await client.logIn();
    expect(await silent.reply()).toMatch(/^421/);
    expect(await handshaking.reply()).toBe('closed');
    expect(await client.reply()).toMatch(/^421/);
    expect(await client.reply()).toBe('closed');
    expect(served.desk.sessions[0]?.closed).toBe(true);
  });

  test('more connections than an address may have are told so', async () => {
    await using served = await serve(certificates, {
      server: { limits: { ...short, maxConnectionsPerAddress: 1 } },
    });
    const first = await connected(served.port);
    expect(await (await RawClient.connect(served.port)).reply()).toMatch(/^421/);
    first.socket.destroy();
    await expect.poll(async () => (await RawClient.connect(served.port)).reply()).toMatch(/^220/);
  });

  test('a banner of several lines', async () => {
    await using served = await serve(certificates, { server: { banner: 'Hello\nbe good' } });
    expect(await (await RawClient.connect(served.port)).reply()).toBe('220-Hello\r\n220 be good');
  });
});

async function connected(port: number): Promise<RawClient> {
  const client = await RawClient.connect(port);
  await client.reply();
  return client;
}

describe('client certificates', () => {
  const shown = () => ({
    cert: certificates.anna.pem + certificates.intermediate.pem,
    key: certificates.anna.keyPem,
  });

  test('optional: 232 after USER, and PASS is superfluous', async () => {
    await using served = await serve(certificates, { server: { clientCertificate: 'optional' } });
    const client = await (await connected(served.port)).secure(certificates.ca, shown());
    expect(await client.say('USER anna')).toMatch(/^232/);
    expect(await client.say('PASS anything')).toMatch(/^202/);
    expect(await client.say('PWD')).toMatch(/^257/);
  });

  test('the certificate of one account opens no other', async () => {
    await using served = await serve(certificates, { server: { clientCertificate: 'optional' } });
    const client = await (await connected(served.port)).secure(certificates.ca, shown());
    expect(await client.say('USER nobody')).toMatch(/^331/);
    expect(await client.say('PASS correct horse')).toMatch(/^530/);
  });

  test.each(['explicit', 'implicit'])('required, %s: 421 before any command is read', async (kind) => {
    await using served = await serve(certificates, {
      server: { clientCertificate: 'required' },
      ftp: { implicitTls: kind === 'implicit' },
    });
    const raw = await RawClient.connect(served.port);
    let client: RawClient;
    if (kind === 'explicit') {
      await raw.reply();
      client = await raw.secure(certificates.ca);
    } else client = await raw.handshake(certificates.ca);
    client.socket.write('USER anna\r\nPASS correct horse\r\n');
    expect(await client.reply()).toMatch(/^421/);
    expect(await client.reply()).toBe('closed');
    expect(served.desk.passwords).toEqual([]);
  });
});

describe('data connections', () => {
  const plain = () => serve(certificates, { ftp: { plain: true }, view: viewOf({ encryption: 'optional' }) });

  async function loggedInPlain(port: number): Promise<RawClient> {
    const client = await connected(port);
    await client.logIn();
    await client.say('TYPE I');
    return client;
  }

  async function loggedIn(port: number, version?: tls.SecureVersion): Promise<RawClient> {
    const client = await (await connected(port)).secure(
      certificates.ca,
      version ? { maxVersion: version } : {},
    );
    await client.logInSecured();
    return client;
  }

  const inTls = (socket: net.Socket, version?: tls.SecureVersion) => {
    const secured = tls.connect({
      socket,
      servername: 'localhost',
      ca: [certificates.ca.pem],
      ...(version ? { maxVersion: version } : {}),
    });
    secured.on('error', () => {});
    return secured;
  };

  /** All that a connection gives to its end. */
  async function all(socket: net.Socket): Promise<string> {
    let text = '';
    for await (const chunk of socket) text += chunk;
    return text;
  }

  test('come only from the address of the control connection; others are cut off and the wait goes on', async () => {
    await using served = await plain();
    const client = await loggedInPlain(served.port);
    await writeFile(join(served.desk.home, 'a'), 'content');
    const port = await client.passive();
    const stranger = await client.dataTo(port, '127.0.0.2');
    const own = await client.dataTo(port);
    expect(await client.say('RETR a')).toMatch(/^150/);
    expect(await all(own)).toBe('content');
    expect(await client.reply()).toMatch(/^226/);
    if (!stranger.destroyed) await once(stranger, 'close');
  });

  test('one port serves one transfer', async () => {
    await using served = await plain();
    const client = await loggedInPlain(served.port);
    const own = await client.data();
    expect(await client.say('LIST')).toMatch(/^150/);
    await all(own);
    await client.reply();
    expect(await client.say('LIST')).toMatch(/^425/);
  });

  test('need PROT P where the control connection is in TLS', async () => {
    await using served = await serve(certificates);
    const client = await (await connected(served.port)).secure(certificates.ca);
    await client.logIn();
    await client.data();
    expect(await client.say('LIST')).toMatch(/^521/);
  });

  test('in clear are served where the policy allows clear logins', async () => {
    await using served = await plain();
    const client = await loggedInPlain(served.port);
    const own = await client.data();
    await client.say('STOR a');
    own.end('content');
    expect(await client.reply()).toMatch(/^226/);
    expect(await readFile(join(served.desk.home, 'a'), 'utf8')).toBe('content');
  });

  test('in clear a reset leaves nothing', async () => {
    await using served = await plain();
    const client = await loggedInPlain(served.port);
    const own = await client.data();
    await client.say('STOR a');
    own.write('half', () => own.resetAndDestroy());
    expect(await client.reply()).toMatch(/^426/);
    expect(await readdir(served.desk.home)).not.toContain('a');
    expect(served.desk.reports).toMatchObject([{ direction: 'upload', path: '/a', outcome: 'cut' }]);
  });

  describe.each(['TLSv1.2', 'TLSv1.3'] as const)('in %s', (version) => {
    // The last of 2 bytes makes a record of the size of a TLS 1.3 alert.
    test.each([[['content']], [['content', 'xy']], [['x'.repeat(100_000), 'xy']], [[]]])(
      'an upload of %# without closure alert leaves nothing, with one it is stored',
      async (parts) => {
        await using served = await serve(certificates);
        const client = await loggedIn(served.port, version);
        for (const end of ['cut', 'closed'] as const) {
          const raw = await client.data();
          await client.say('STOR a');
          const own = inTls(raw, version);
          await once(own, 'secureConnect');
          for (const part of parts) await new Promise((resolve) => own.write(part, resolve));
          if (end === 'cut') raw.end();
          else own.end();
          expect(await client.reply()).toMatch(end === 'cut' ? /^42[56]/ : /^226/);
          expect((await readdir(served.desk.home)).includes('a')).toBe(end === 'closed');
        }
        expect(await readFile(join(served.desk.home, 'a'), 'utf8')).toBe(parts.join(''));
        expect(served.desk.reports.at(-1)?.outcome).toBe('completed');
        expect(served.desk.reports[0]?.outcome).not.toBe('completed');
      },
    );
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'an empty upload that ends directly after its handshake is stored, on %s',
    async (version) => {
      await using served = await serve(certificates);
      const client = await loggedIn(served.port, version);
      for (let i = 0; i < 10; i++) {
        const raw = await client.data();
        await client.say(`STOR empty-${i}`);
        const own = inTls(raw, version);
        own.once('secureConnect', () => own.end());
        expect(await client.reply()).toMatch(/^226/);
      }
      expect((await readdir(served.desk.home)).filter((name) => name.startsWith('empty'))).toHaveLength(10);
    },
  );

  test('closeNotify optional stores an upload that ends without alert', async () => {
    await using served = await serve(certificates, { ftp: { closeNotify: 'optional' } });
    const client = await loggedIn(served.port);
    const raw = await client.data();
    await client.say('STOR a');
    const own = inTls(raw);
    await once(own, 'secureConnect');
    await new Promise((resolve) => own.write('content', resolve));
    raw.end();
    expect(await client.reply()).toMatch(/^226/);
    expect(await readFile(join(served.desk.home, 'a'), 'utf8')).toBe('content');
  });

  test('a control connection that goes takes its upload with it', async () => {
    await using served = await serve(certificates);
    const client = await loggedIn(served.port);
    const own = inTls(await client.data());
    client.socket.write('STOR a\r\n');
    await once(own, 'secureConnect');
    own.write('content');
    client.socket.destroy();
    await expect.poll(() => served.desk.reports).toMatchObject([{ outcome: 'cut' }]);
    expect(await readdir(served.desk.home)).not.toContain('a');
    await expect.poll(() => served.desk.sessions[0]?.closed).toBe(true);
  });

  test('garbage on a data connection fails its transfer and nothing else', async () => {
    await using served = await serve(certificates);
    const client = await loggedIn(served.port);
    const raw = await client.data();
    await client.say('STOR a');
    raw.end('GET / HTTP/1.1\r\n\r\n');
    expect(await client.reply()).toMatch(/^425/);
    expect(await readdir(served.desk.home)).not.toContain('a');
    expect(await client.say('NOOP')).toMatch(/^200/);
  });

  test('ABOR breaks a transfer off: 426, then 226', async () => {
    await using served = await plain();
    const client = await loggedInPlain(served.port);
    await writeFile(join(served.desk.home, 'big'), Buffer.alloc(32 << 20));
    const own = await client.data();
    own.pause();
    expect(await client.say('RETR big')).toMatch(/^150/);
    expect(await client.say('ABOR')).toMatch(/^426/);
    expect(await client.reply()).toMatch(/^226/);
    expect(await client.say('NOOP')).toMatch(/^200/);
    expect(served.desk.reports).toMatchObject([{ direction: 'download', outcome: 'cut' }]);
  });

  test('ABOR ends the wait for a data connection', async () => {
    await using served = await plain();
    const client = await loggedInPlain(served.port);
    await client.passive();
    expect(await client.say('LIST')).toMatch(/^150/);
    expect(await client.say('ABOR')).toMatch(/^425/);
    expect(await client.reply()).toMatch(/^226/);
  });

  test('PASV names the override, else the rule of the class, else the server’s address', async () => {
    const rules = [{ userClass: '*' as const, address: '192.0.2.2' }];
    const ftp = { passiveAddress: '192.0.2.3' };
    for (const [over, expected] of [
      [{ ftp: { ...ftp, passiveAddressRules: rules }, override: '192.0.2.1' }, '192,0,2,1'],
      [{ ftp: { ...ftp, passiveAddressRules: rules } }, '192,0,2,2'],
      [{ ftp }, '192,0,2,3'],
      [{ ftp: {} }, '127,0,0,1'],
    ] as const) {
      await using served = await serve(certificates, { ftp: over.ftp });
      const running = definition(certificates, { ftp: over.ftp });
      await served.apply('override' in over ? { ...running, passiveAddress: over.override } : running);
      const client = await loggedIn(served.port);
      expect(await client.say('PASV')).toContain(`(${expected},`);
      expect(await client.say('EPSV 2')).toMatch(/^522/);
    }
  });
});

describe('sessions', () => {
  test('one that is ended hears 421 and is closed', async () => {
    await using served = await serve(certificates);
    const client = await (await connected(served.port)).secure(certificates.ca);
    await client.logIn();
    served.desk.sessions[0]?.end('account-disabled');
    expect(await client.reply()).toMatch(/^421/);
    expect(await client.reply()).toBe('closed');
    await expect.poll(() => served.desk.sessions[0]?.closed).toBe(true);
  });

  test('on a draining server nothing new begins', async () => {
    await using served = await serve(certificates);
    const client = await (await connected(served.port)).secure(certificates.ca);
    await client.logIn();
    expect(await client.say('CWD /')).toMatch(/^250/);
    served.desk.admitsOperations = false;
    expect(await client.say('CWD /')).toMatch(/^421/);
    expect(await client.reply()).toBe('closed');
  });

  test('commands that come in one packet are answered in order', async () => {
    await using served = await serve(certificates);
    const client = await (await connected(served.port)).secure(certificates.ca);
    await client.logIn();
    client.socket.write(`${'NOOP\r\n'.repeat(50)}MKD a\r\nCWD a\r\nPWD\r\nQUIT\r\n`);
    for (let i = 0; i < 50; i++) expect(await client.reply()).toMatch(/^200/);
    const codes = [];
    for (let i = 0; i < 5; i++) codes.push((await client.reply()).slice(0, 10));
    expect(codes).toEqual(['257 "/a" c', '250 Direct', '257 "/a" i', '221 Goodby', 'closed']);
  });
});

describe('the listener', () => {
  test('refuses what it cannot run and goes on as it was', async () => {
    await using served = await serve(certificates);
    const port = served.port;
    expect(await served.apply({ ...definition(certificates), identities: [] })).toMatchObject({
      fault: { code: 'item-key-missing' },
    });
    const neither = definition(certificates, { ftp: { explicitTls: false } });
    expect(await served.apply(neither)).toMatchObject({ fault: { code: 'item-engine-refused' } });
    const taken = net.createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const other = definition(certificates);
    const { port: takenPort } = taken.address() as net.AddressInfo;
    expect(await served.apply({ ...other, server: { ...other.server, port: takenPort } })).toMatchObject({
      fault: { code: 'item-port-in-use' },
    });
    taken.close();
    expect(served.listener.port).toBe(port);
    expect(await (await RawClient.connect(port)).reply()).toBe('220 Ready.');
  });

  test('another certificate is met by the next connection, open ones go on', async () => {
    await using served = await serve(certificates);
    const before = await (await connected(served.port)).secure(certificates.ca);
    await before.logIn();
    await served.apply(definition(certificates, { identities: [certificates.edwards] }));
    expect(served.listener.port).toBe(served.port);
    const after = await (await connected(served.port)).secure(certificates.ca);
    expect((after.socket as tls.TLSSocket).getPeerCertificate().subject.CN).toBe('edwards');
    expect(await before.say('NOOP')).toMatch(/^200/);
  });

  test('suspended lets go of its port, close of its connections', async () => {
    await using served = await serve(certificates);
    const client = await connected(served.port);
    await served.apply(definition(certificates, { server: { state: 'suspended' } }));
    expect(served.listener.port).toBeUndefined();
    expect(await client.say('NOOP')).toMatch(/^200/);
    await served.listener.close();
    expect(await client.reply()).toBe('closed');
  });

  test.each(['explicit', 'implicit'])('garbage takes nobody else down, %s', async (kind) => {
    await using served = await serve(certificates, {
      ftp: { implicitTls: kind === 'implicit' },
      server: { limits: { ...short, maxConnectionsPerAddress: 1_000, maxConnections: 1_000 } },
    });
    const garbage = [
      Buffer.alloc(100_000, 0xff),
      Buffer.from('\r\n\r\n\r\n'),
      Buffer.from([0x16, 0x03, 0x01, 0xff, 0xff]),
      Buffer.from('AUTH TLS\r\n\x16\x03\x01garbage'),
      Buffer.from('USER \xff\xfe\r\nPASS\r\nAUTH\r\nPORT\r\n%n%n\0\r\n', 'latin1'),
    ];
    for (const bytes of garbage) {
      const client = await RawClient.connect(served.port);
      client.socket.end(bytes);
      while ((await client.reply()) !== 'closed');
    }
    const raw = await RawClient.connect(served.port);
    if (kind === 'explicit') await raw.reply();
    const client =
      kind === 'implicit' ? await raw.handshake(certificates.ca) : await raw.secure(certificates.ca);
    if (kind === 'implicit') await client.reply();
    await client.logIn();
    expect(await client.say('NOOP')).toMatch(/^200/);
  });
});
