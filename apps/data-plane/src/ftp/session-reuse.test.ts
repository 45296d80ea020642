// TLS sessions of data connections: clients that take up that of their account pass where it is required, all others
// are refused, whatever they would carry.
import { execFile } from 'node:child_process';
import { constants } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Certificates, makeCertificates, RawClient, serve } from './fixture/served.ts';

const run = promisify(execFile);
let certificates: Certificates;
beforeAll(async () => {
  certificates = await makeCertificates();
});

const required = { tlsSessionReuse: 'required' } as const;
const anna = ['-u', 'anna:correct horse'];
type Served = Awaited<ReturnType<typeof serve>>;

// Not on TLS 1.3: OpenSSL's client spends a ticket at its first use, and curl before 8.12 holds one at a time.
const concurrently = ['-Z', '--parallel-max', '4', '--parallel-immediate'];

async function files(served: Served, count: number): Promise<string[]> {
  const names = Array.from({ length: count }, (_, at) => `f${at}`);
  for (const name of names) await writeFile(join(served.desk.home, name), `file ${name}`);
  return names;
}

describe.each(['1.2', '1.3'])('required, TLS %s', (version) => {
  const only = [`--tlsv${version}`, '--tls-max', version];

  test('curl transfers one after the other, and in parallel where it can', async () => {
    await using served = await serve(certificates, { ftp: required });
    const names = await files(served, 12);
    for (const parallel of version === '1.2' ? [[], concurrently] : [[]]) {
      const urls = names.slice(0, -1).map((name) => `ftp://localhost:${served.port}/${name}`);
      const outputs = names.flatMap((name) => ['-o', served.path(name)]);
      await served.curl(names.at(-1) as string, ...anna, ...only, ...parallel, ...outputs, ...urls);
      for (const name of names) expect(await readFile(served.path(name), 'utf8')).toBe(`file ${name}`);
    }
    await served.curl('up', ...anna, ...only, '-T', served.path('f1'));
    expect(await readFile(join(served.desk.home, 'up'), 'utf8')).toBe('file f1');
    expect(served.notices).toEqual([]);
  });

  test('lftp gets in parallel and mirrors', async () => {
    await using served = await serve(certificates, { ftp: required });
    const names = await files(served, 12);
    await mkdir(join(served.desk.home, 'sub'));
    await writeFile(join(served.desk.home, 'sub', 'deep'), 'deep');
    const priority = `SECURE128:-VERS-ALL:+VERS-TLS${version}`;
    await served.lftp(
      `set ssl:priority "${priority}"; lcd ${served.desk.root}; mget -P 3 f*; mirror -P 2 / ${served.path('copy')}; mirror -R -P 2 ${served.path('copy')} /back`,
    );
    for (const name of names) expect(await readFile(served.path(name), 'utf8')).toBe(`file ${name}`);
    expect(await readFile(join(served.desk.home, 'back/sub/deep'), 'utf8')).toBe('deep');
    expect(served.notices).toEqual([]);
  });
});

/** Logs in; `session` is the latest that the server gave on the connection. */
async function loggedIn(served: Served, options: tls.ConnectionOptions = {}, user = 'anna') {
  const clear = await RawClient.connect(served.port);
  await clear.reply();
  let session: Buffer | undefined;
  const client = await clear.secure(certificates.ca, options);
  const socket = client.socket as tls.TLSSocket;
  session = socket.getSession();
  socket.on('session', (next) => {
    session = next;
  });
  await client.logInSecured(user);
  return { client, session: () => session as Buffer };
}

/** Retrieves a file over a data connection with these options: its content, or the reply that refuses it. */
async function retrieve(client: RawClient, options: tls.ConnectionOptions, port?: number): Promise<string> {
  const raw = await (port === undefined ? client.data() : client.dataTo(port));
  let content = '';
  const socket = tls.connect({ socket: raw, servername: 'localhost', ca: [certificates.ca.pem], ...options });
  socket.on('error', () => {});
  socket.on('data', (data) => {
    content += data;
  });
  expect(await client.say('RETR f0')).toMatch(/^150/);
  const last = await client.reply();
  socket.destroy();
  return last.startsWith('226') ? content : last;
}

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('by hand on %s', (version) => {
  describe.each([
    ['with tickets', 0],
    ['without tickets', constants.SSL_OP_NO_TICKET],
  ] as const)('%s', (_name, secureOptions) => {
    const only = { minVersion: version, maxVersion: version, secureOptions } as const;

    test('required: the own session passes, none is refused, and nothing else ends', async () => {
      await using served = await serve(certificates, { ftp: required });
      await files(served, 1);
      const { client, session } = await loggedIn(served, only);
      expect(await retrieve(client, { ...only, session: session() })).toBe('file f0');
      expect(await retrieve(client, only)).toMatch(/^522/);
      expect(await retrieve(client, { ...only, session: session() })).toBe('file f0');
      expect(served.notices).toMatchObject([
        { outcome: 'refused', reason: 'data-session-none', account: 'anna', source: '127.0.0.1' },
      ]);
      expect(served.desk.reports.map(({ outcome, reason }) => reason ?? outcome)).toEqual([
        'completed',
        'session-not-own',
        'completed',
      ]);
    });

    test('required: another connection of the same account may lend its session, another account not', async () => {
      await using served = await serve(certificates, { ftp: required });
      await files(served, 1);
      const one = await loggedIn(served, only);
      const other = await loggedIn(served, only);
      const berta = await loggedIn(served, only, 'berta');
      expect(await retrieve(one.client, { ...only, session: other.session() })).toBe('file f0');
      expect(await retrieve(one.client, { ...only, session: berta.session() })).toMatch(/^522/);
      expect(served.notices).toMatchObject([{ reason: 'data-session-foreign', account: 'anna' }]);
      other.client.socket.destroy();
      expect(await retrieve(one.client, { ...only, session: other.session() })).toBe('file f0');
    });

    test('required: one user after another with the same session of the control connection', async () => {
      await using served = await serve(certificates, { ftp: required });
      await files(served, 1);
      const one = await loggedIn(served, only);
      const berta = await loggedIn(served, { ...only, session: one.session() }, 'berta');
      expect((berta.client.socket as tls.TLSSocket).isSessionReused()).toBe(true);
      expect(await retrieve(berta.client, { ...only, session: berta.session() })).toBe('file f0');
    });

    test('off: no session is taken up by a data connection', async () => {
      await using served = await serve(certificates, { ftp: { tlsSessionReuse: 'off' } });
      await files(served, 1);
      const { client, session } = await loggedIn(served, only);
      const raw = await client.data();
      const socket = tls.connect({
        socket: raw,
        servername: 'localhost',
        ca: [certificates.ca.pem],
        ...only,
        session: session(),
      });
      let content = '';
      socket.on('data', (data) => {
        content += data;
      });
      const shaken = once(socket, 'secureConnect').then(() => socket.isSessionReused());
      expect(await client.say('RETR f0')).toMatch(/^150/);
      expect(await client.reply()).toMatch(/^226/);
      expect(await shaken).toBe(false);
      expect(content).toBe('file f0');
    });
  });
});

test('required: a session whose login is still open is waited for', async () => {
  await using served = await serve(certificates, { ftp: required });
  await files(served, 1);
  const { client } = await loggedIn(served);
  const clear = await RawClient.connect(served.port);
  await clear.reply();
  const other = await clear.secure(certificates.ca);
  await other.say('NOOP');
  const session = (other.socket as tls.TLSSocket).getSession() as Buffer;
  const content = retrieve(client, { session });
  await other.logIn();
  expect(await content).toBe('file f0');
});

test('required: python without reuse is refused, and so is who connects to the port first', async () => {
  await using served = await serve(certificates, { ftp: required });
  await files(served, 1);
  const script = `
import ftplib, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[2])
client = ftplib.FTP_TLS(context=context)
client.connect('localhost', int(sys.argv[1])); client.login('anna', 'correct horse'); client.prot_p()
try:
    client.retrbinary('RETR f0', lambda data: None); print('passed')
except ssl.SSLError:
    print(client.getmultiline())
except ftplib.all_errors as error:
    print(error)
`;
  const { stdout } = await run('python3', ['-c', script, String(served.port), served.path('ca.pem')]);
  expect(stdout).toMatch(/^522 /);

  const { client } = await loggedIn(served);
  const thief = await loggedIn(served, {}, 'berta');
  const port = await client.passive();
  const stolen = retrieve(client, { session: thief.session() }, port);
  expect(await stolen).toMatch(/^522/);
  expect(served.notices.map(({ reason }) => reason)).toEqual(['data-session-none', 'data-session-foreign']);
});
