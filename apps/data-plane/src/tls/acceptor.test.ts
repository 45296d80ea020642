import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { unwrap } from '@sallyport/faults';
import { type ClientCertificateMode, type FtpServer, modernPolicy, serverCreate } from '@sallyport/model';
import { packSerials, parseCertificate, readSerials } from '@sallyport/pki';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { AdapterContext } from '../adapter.ts';
import type { CrlRule, Identity, RunningServer, ZoneView } from '../zone-view.ts';
import { createTlsAcceptor, type TlsAcceptor, type TlsOutcome } from './acceptor.ts';
import { type Issued, identityOf, issue } from './fixture/certificates.ts';
import { viewOf } from './fixture/zone.ts';
import { createTlsMemories } from './memories.ts';

const run = promisify(execFile);
const localhost = [
  { type: 'dns', value: 'localhost' },
  { type: 'ip', value: '127.0.0.1' },
] as const;

let ca: Issued;
let intermediate: Issued;
let otherCa: Issued;
let serverCertificate: Issued;
let alice: Issued;
let stranger: Issued;
let directory: string;

beforeAll(async () => {
  ca = await issue({ name: 'Root', use: 'ca' });
  intermediate = await issue({ name: 'Intermediate', use: 'ca', issuer: ca });
  otherCa = await issue({ name: 'Elsewhere', use: 'ca' });
  serverCertificate = await issue({ name: 'server', use: 'server', issuer: ca, sans: localhost });
  alice = await issue({ name: 'alice', use: 'client', issuer: intermediate });
  stranger = await issue({ name: 'stranger', use: 'client', issuer: otherCa });
  directory = await mkdtemp(join(tmpdir(), 'sallyport-tls-'));
  await writeFile(join(directory, 'ca.pem'), ca.pem);
});

afterAll(() => rm(directory, { recursive: true }));

function runningWith(
  mode: ClientCertificateMode,
  identities: readonly Identity[] = [identityOf('server', serverCertificate)],
  id = 'srv-1',
): RunningServer<FtpServer> {
  const server = serverCreate.parse({
    protocol: 'ftp',
    name: 'ftp',
    zone: 'test',
    port: 21,
    clientCertificate: mode,
    limits: { loginGraceSeconds: 5 },
  });
  return {
    server: { ...server, id, version: 1, createdAt: '2026-01-01T00:00:00Z' } as FtpServer,
    identities,
    algorithms: modernPolicy,
  };
}

const trusting = (): ZoneView =>
  viewOf({ cas: [ca], registered: [{ account: 'acc-alice', certificate: alice }] });

/** A listener whose view and acceptor the test changes; each connection gets `judged` and then an echo. */
async function listen(initial: {
  view: ZoneView;
  running: RunningServer<FtpServer>;
  alpn?: string[];
  rememberedChains?: number;
  manner?: 'echo' | 'answer-once';
}) {
  const state = { view: initial.view, clock: Date.now() };
  const now = () => state.clock;
  const context: AdapterContext = {
    tlsMemories: createTlsMemories({
      now,
      ...(initial.rememberedChains === undefined ? {} : { rememberedChains: initial.rememberedChains }),
    }),
    login: { open: () => Promise.reject() as never },
    view: () => state.view,
    now,
    notice: () => {},
  };
  const acceptor: TlsAcceptor = createTlsAcceptor({
    context,
    running: initial.running,
    ...(initial.alpn ? { alpn: initial.alpn } : {}),
  });
  const outcomes: TlsOutcome[] = [];
  const sockets = new Set<net.Socket>();
  const server = net.createServer(async (socket) => {
    sockets.add(socket);
    const outcome = await acceptor.secure(socket);
    outcomes.push(outcome);
    if (outcome.kind === 'failed') return;
    const { credential, admission } = outcome;
    outcome.socket.write(
      `${JSON.stringify({ credential, admission, resumed: outcome.socket.isSessionReused() })}\n`,
    );
    outcome.socket.on('data', (data) =>
      initial.manner === 'answer-once' ? outcome.socket.end(data) : outcome.socket.write(data),
    );
    outcome.socket.on('end', () => outcome.socket.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  opened.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { state, acceptor, outcomes, port };
}

const opened: (() => void)[] = [];
afterEach(() => {
  for (const close of opened.splice(0)) close();
});

type Told = {
  readonly credential: { kind: string; reason?: string; registrations?: { account: string }[] };
  readonly admission: { kind: string; reason?: string };
  readonly resumed: boolean;
};

/** Connects, reads what the listener judged and keeps the session for a later connection. */
async function connect(
  port: number,
  options: tls.ConnectionOptions = {},
): Promise<{ told: Told; session: Buffer; socket: tls.TLSSocket }> {
  const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: [ca.pem], ...options });
  opened.push(() => socket.destroy());
  const session = new Promise<Buffer>((resolve) => socket.once('session', resolve));
  const told = await new Promise<Told>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed before it was told anything')));
    socket.once('data', (data) => resolve(JSON.parse(data.toString())));
  });
  return {
    told,
    socket,
    // On TLS 1.3 tickets follow the handshake, and Node renews none on a resumed connection.
    session:
      socket.getProtocol() === 'TLSv1.3' && !told.resumed ? await session : (socket.getSession() as Buffer),
  };
}

const withCertificate = (issued: Issued, ...above: Issued[]): tls.ConnectionOptions => ({
  cert: [issued, ...above].map((one) => one.pem).join(''),
  key: issued.keyPem,
});

describe('full handshakes', () => {
  test('disabled asks for no certificate, though the client has one', async () => {
    const { port } = await listen({ view: trusting(), running: runningWith('disabled') });
    const { told } = await connect(port, withCertificate(alice, intermediate));
    expect(told.credential).toEqual({ kind: 'none' });
    expect(told.admission).toEqual({ kind: 'proceed' });
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'optional proves a registered certificate on %s',
    async (version) => {
      const { port } = await listen({ view: trusting(), running: runningWith('optional') });
      const { told } = await connect(port, {
        ...withCertificate(alice, intermediate),
        minVersion: version,
        maxVersion: version,
      });
      expect(told.credential).toMatchObject({ kind: 'proved', registrations: [{ account: 'acc-alice' }] });
      expect(told.admission).toEqual({ kind: 'proceed' });
    },
  );

  test('optional lets a client without, and one with a stranger’s certificate, go on to its password', async () => {
    const { port } = await listen({ view: trusting(), running: runningWith('optional') });
    expect((await connect(port)).told).toMatchObject({
      credential: { kind: 'none' },
      admission: { kind: 'proceed' },
    });
    const { told } = await connect(port, withCertificate(stranger));
    expect(told).toMatchObject({ credential: { kind: 'invalid' }, admission: { kind: 'proceed' } });
  });

  test('optional under reject refuses a stranger’s certificate', async () => {
    const view = viewOf({ cas: [ca], onInvalidCertificate: 'reject' });
    const { port } = await listen({ view, running: runningWith('optional') });
    const { told } = await connect(port, withCertificate(stranger));
    expect(told.admission).toEqual({ kind: 'refuse', reason: 'credential-invalid' });
  });

  test('required admits the registered certificate and refuses none and others', async () => {
    const { port } = await listen({ view: trusting(), running: runningWith('required') });
    const { told } = await connect(port, withCertificate(alice, intermediate));
    expect(told.admission).toEqual({ kind: 'proceed' });
    expect((await connect(port)).told.admission).toEqual({ kind: 'refuse', reason: 'credential-missing' });
    const { told: other } = await connect(port, withCertificate(stranger));
    expect(other.admission).toEqual({ kind: 'refuse', reason: 'credential-invalid' });
  });

  test('a change of trust is met by the next connection', async () => {
    const { port, state } = await listen({ view: viewOf({}), running: runningWith('required') });
    const options = withCertificate(alice, intermediate);
    expect((await connect(port, options)).told.admission.kind).toBe('refuse');
    state.view = trusting();
    expect((await connect(port, options)).told.admission.kind).toBe('proceed');
  });
});

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('resumption on %s', (version) => {
  const pinned = { minVersion: version, maxVersion: version } as const;
  const first = async (port: number) => {
    const options = { ...withCertificate(alice, intermediate), ...pinned };
    const { told, session } = await connect(port, options);
    expect(told).toMatchObject({ credential: { kind: 'proved' }, resumed: false });
    return { ...options, session };
  };

  test('proves the certificate again', async () => {
    const { port } = await listen({ view: trusting(), running: runningWith('required') });
    const { told } = await connect(port, await first(port));
    expect(told).toMatchObject({
      credential: { kind: 'proved', registrations: [{ account: 'acc-alice' }] },
      admission: { kind: 'proceed' },
      resumed: true,
    });
  });

  test('proves nothing for a session that never had a certificate', async () => {
    const { port } = await listen({ view: trusting(), running: runningWith('optional') });
    const { session } = await connect(port, pinned);
    const { told } = await connect(port, { ...pinned, session });
    expect(told).toMatchObject({ credential: { kind: 'none' }, resumed: true });
  });

  test('is refused after the CA was removed', async () => {
    const { port, state } = await listen({ view: trusting(), running: runningWith('required') });
    const again = await first(port);
    state.view = viewOf({ cas: [otherCa], registered: [{ account: 'acc-alice', certificate: alice }] });
    const { told } = await connect(port, again);
    expect(told).toMatchObject({
      credential: { kind: 'invalid' },
      admission: { kind: 'refuse' },
      resumed: false,
    });
  });

  test('is refused after the certificate was revoked', async () => {
    const { port, state } = await listen({ view: trusting(), running: runningWith('required') });
    const again = await first(port);
    state.view = viewOf({
      cas: [ca],
      registered: [{ account: 'acc-alice', certificate: alice }],
      revoked: [alice],
    });
    const { told } = await connect(port, again);
    expect(told).toMatchObject({
      credential: { kind: 'invalid' },
      admission: { kind: 'refuse' },
      resumed: true,
    });
  });

  test('is refused after the list of the root has named the intermediate, or has ended', async () => {
    const { port, state } = await listen({ view: trusting(), running: runningWith('required') });
    const again = await first(port);
    const under = (list: CrlRule['list']) =>
      viewOf({
        cas: [ca],
        registered: [{ account: 'acc-alice', certificate: alice }],
        crlRules: [{ id: 'crt-root', ca: unwrap(parseCertificate(ca.der)), onStaleCrl: 'reject', list }],
      });
    const listOf = (serials: readonly string[]): CrlRule['list'] => ({
      number: '4',
      nextUpdate: new Date(state.clock + 60_000),
      serials: unwrap(readSerials(packSerials(serials))),
    });
    state.view = under(listOf([unwrap(parseCertificate(intermediate.der)).serial]));
    expect((await connect(port, again)).told).toMatchObject({
      credential: { kind: 'invalid', reason: 'revoked: CN=Intermediate, by list 4 of CN=Root' },
      admission: { kind: 'refuse' },
      resumed: true,
    });
    state.view = under(listOf([]));
    const fresh = await connect(port, { ...withCertificate(alice, intermediate), ...pinned });
    expect(fresh.told).toMatchObject({ credential: { kind: 'proved' } });
    state.clock += 60_001;
    const { told } = await connect(port, { ...withCertificate(alice, intermediate), ...pinned });
    expect(told).toMatchObject({
      credential: { kind: 'invalid', reason: expect.stringMatching(/^crl-stale: CN=Root since /) },
      admission: { kind: 'refuse' },
    });
  });

  test('is refused after its registration has gone', async () => {
    const { port, state } = await listen({ view: trusting(), running: runningWith('required') });
    const again = await first(port);
    state.view = viewOf({ cas: [ca] });
    const { told } = await connect(port, again);
    expect(told).toMatchObject({ admission: { kind: 'refuse' }, resumed: true });
  });

  test('does not carry a session from an optional into a required listener', async () => {
    const { port, acceptor } = await listen({ view: trusting(), running: runningWith('optional') });
    const { session } = await connect(port, pinned);
    acceptor.update(runningWith('required'));
    const { told } = await connect(port, { ...pinned, session });
    expect(told).toMatchObject({
      admission: { kind: 'refuse', reason: 'credential-missing' },
      resumed: false,
    });
  });

  test('proves nothing once its chain is forgotten', async () => {
    const { port } = await listen({
      view: trusting(),
      running: runningWith('required'),
      rememberedChains: 0,
    });
    const { told } = await connect(port, await first(port));
    expect(told).toMatchObject({
      credential: { kind: 'invalid', reason: 'resumed-chain-unknown' },
      admission: { kind: 'refuse' },
      resumed: true,
    });
  });

  test('ends when the ticket keys rotate', async () => {
    const { port, state } = await listen({ view: trusting(), running: runningWith('required') });
    const again = await first(port);
    state.clock += 3_600_001;
    const { told } = await connect(port, again);
    expect(told).toMatchObject({ credential: { kind: 'proved' }, resumed: false });
  });
});

describe('identities', () => {
  const servername = async (port: number, name: string, authority = ca) => {
    const { socket } = await connect(port, { servername: name, ca: [authority.pem] });
    return socket.getPeerCertificate().subject.CN;
  };

  test('SNI selects by SAN, the first is the default, and the whole chain is sent', async () => {
    const one = await issue({
      name: 'one',
      use: 'server',
      issuer: intermediate,
      sans: [{ type: 'dns', value: 'one.example' }],
    });
    const two = await issue({
      name: 'two',
      use: 'server',
      issuer: intermediate,
      sans: [{ type: 'dns', value: '*.two.example' }],
    });
    const { port } = await listen({
      view: viewOf({}),
      running: runningWith('disabled', [
        identityOf('one', one, [intermediate]),
        identityOf('two', two, [intermediate]),
      ]),
    });
    expect(await servername(port, 'one.example')).toBe('one');
    expect(await servername(port, 'files.two.example')).toBe('two');
    const unnamed = tls.connect({
      port,
      host: '127.0.0.1',
      ca: [ca.pem],
      checkServerIdentity: () => undefined,
    });
    opened.push(() => unnamed.destroy());
    await once(unnamed, 'secureConnect');
    expect(unnamed.getPeerCertificate().subject.CN).toBe('one');
  });

  test('without SNI the address that the client came to selects', async () => {
    const named = await issue({
      name: 'named',
      use: 'server',
      issuer: ca,
      sans: [{ type: 'dns', value: 'one.example' }],
    });
    const { port } = await listen({
      view: viewOf({}),
      running: runningWith('disabled', [identityOf('named', named), identityOf('server', serverCertificate)]),
    });
    const socket = tls.connect({ port, host: '127.0.0.1', ca: [ca.pem] });
    opened.push(() => socket.destroy());
    await once(socket, 'secureConnect');
    expect(socket.getPeerCertificate().subject.CN).toBe('server');
  });

  test('with Ed25519 and ECDSA both assigned stock clients verify and connect', async () => {
    const edwards = await issue({
      name: 'edwards',
      use: 'server',
      issuer: ca,
      sans: localhost,
      keyType: 'ed25519',
    });
    for (const identities of [
      [identityOf('edwards', edwards), identityOf('server', serverCertificate)],
      [identityOf('server', serverCertificate), identityOf('edwards', edwards)],
      [identityOf('edwards', edwards)],
    ]) {
      const { port, outcomes } = await listen({
        view: viewOf({}),
        running: runningWith('disabled', identities),
        manner: 'answer-once',
      });
      const trust = join(directory, 'ca.pem');
      for (const versions of [['--tls-max', '1.2'], ['--tlsv1.3']]) {
        const url = `https://localhost:${port}/`;
        const answer = await run('curl', [
          '-sS',
          '--http0.9',
          '--cacert',
          trust,
          ...versions,
          '-m',
          '10',
          url,
        ]);
        expect(answer.stdout).toContain('proceed');
      }
      expect(outcomes.filter((outcome) => outcome.kind === 'open')).toHaveLength(2);
    }
  });

  test('an update without a usable identity is refused and changes nothing', async () => {
    const { port, acceptor } = await listen({ view: viewOf({}), running: runningWith('disabled') });
    expect(acceptor.update(runningWith('disabled', []))).toMatchObject({
      fault: { code: 'item-key-missing' },
    });
    const crossed = { ...identityOf('crossed', serverCertificate), privateKey: alice.keyDer };
    expect(acceptor.update(runningWith('disabled', [crossed]))).toMatchObject({
      fault: { code: 'item-key-mismatch' },
    });
    expect(await servername(port, 'localhost')).toBe('server');
  });
});

describe('peers that misbehave', () => {
  test('garbage, silence and a cut fail the handshake and nothing else', async () => {
    const slow = runningWith('required');
    const { port, outcomes } = await listen({
      view: trusting(),
      running: {
        ...slow,
        server: { ...slow.server, limits: { ...slow.server.limits, loginGraceSeconds: 1 } },
      },
    });
    const silent = net.connect(port, '127.0.0.1');
    const garbage = net.connect(port, '127.0.0.1');
    garbage.end('GET / HTTP/1.0\r\n\r\n');
    garbage.resume();
    const cut = net.connect(port, '127.0.0.1');
    await once(cut, 'connect');
    cut.destroy();
    silent.resume();
    await once(silent, 'close');
    expect(outcomes.map((outcome) => (outcome.kind === 'failed' ? outcome.reason : 'open'))).toEqual(
      expect.arrayContaining(['handshake-timeout', expect.stringContaining('handshake-failed')]),
    );
    expect((await connect(port, withCertificate(alice, intermediate))).told.admission.kind).toBe('proceed');
  });

  test('garbage after the handshake closes the connection', async () => {
    const { port } = await listen({ view: trusting(), running: runningWith('disabled') });
    const raw = net.connect(port, '127.0.0.1');
    const socket = tls.connect({ socket: raw, servername: 'localhost', ca: [ca.pem] });
    socket.on('error', () => {});
    raw.on('error', () => {});
    await once(socket, 'data');
    raw.write(Buffer.from('17030300100000000000000000000000000000000', 'hex'));
    raw.write(Buffer.alloc(64, 1));
    await once(raw, 'close');
  });

  test('ALPN agrees on what the listener speaks', async () => {
    const { port } = await listen({ view: trusting(), running: runningWith('disabled'), alpn: ['http/1.1'] });
    const { socket } = await connect(port, { ALPNProtocols: ['h2', 'http/1.1'] });
    expect(socket.alpnProtocol).toBe('http/1.1');
  });
});
