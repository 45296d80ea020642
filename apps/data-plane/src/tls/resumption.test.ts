// The real listeners of FTP and HTTP: a session that is taken up again never carries more than the client is trusted
// with now.
import { once } from 'node:events';
import tls from 'node:tls';
import { unwrap } from '@sallyport/faults';
import {
  type ClientCertificateMode,
  type FtpServer,
  type HttpServer,
  modernPolicy,
  serverCreate,
} from '@sallyport/model';
import { packSerials, parseCertificate, readSerials } from '@sallyport/pki';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { AdapterContext, Listener } from '../adapter.ts';
import { createFtpListener } from '../ftp/index.ts';
import { createHttpListener } from '../http/index.ts';
import type { LoginAttempt } from '../login.ts';
import type { RunningServer, ZoneView } from '../zone-view.ts';
import { type Issued, identityOf, issue } from './fixture/certificates.ts';
import { viewOf } from './fixture/zone.ts';

let ca: Issued;
let other: Issued;
let server: Issued;
let anna: Issued;
beforeAll(async () => {
  ca = await issue({ name: 'Root', use: 'ca' });
  other = await issue({ name: 'Elsewhere', use: 'ca' });
  server = await issue({ name: 'server', use: 'server', sans: [{ type: 'dns', value: 'localhost' }] });
  anna = await issue({ name: 'anna', use: 'client', issuer: ca });
});

const opened: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

const registered = () => [{ account: 'acc-anna', certificate: anna }];
const trusting = (): ZoneView => viewOf({ cas: [ca], registered: registered() });

/** Nobody is let in: what is told apart here comes before. */
const attempt: LoginAttempt = {
  name: async () => ({ kind: 'refused', fault: 'login-refused' }),
  password: async () => ({ kind: 'refused', fault: 'login-refused' }),
  tlsCredential: () => {},
} as unknown as LoginAttempt;

type Protocol = 'ftp' | 'http';

function running(protocol: Protocol, mode: ClientCertificateMode): RunningServer<FtpServer & HttpServer> {
  const defaults = serverCreate.parse({
    protocol,
    name: protocol,
    zone: 'test',
    host: '127.0.0.1',
    port: 1,
    clientCertificate: mode,
    ...(protocol === 'ftp' ? { ftp: { implicitTls: true, tlsSessionReuse: 'required' } } : {}),
  });
  return {
    server: { ...defaults, id: 'srv', version: 1, createdAt: '2026-01-01T00:00:00Z', port: 0 } as never,
    identities: [identityOf('server', server)],
    algorithms: modernPolicy,
  };
}

async function listen(protocol: Protocol, mode: ClientCertificateMode) {
  const state = { view: trusting() };
  const context: AdapterContext = {
    login: { open: () => attempt },
    view: () => state.view,
    now: Date.now,
    notice: () => {},
  };
  const listener = (protocol === 'ftp'
    ? createFtpListener(context)
    : createHttpListener(context)) as unknown as Listener<FtpServer & HttpServer>;
  unwrap(await listener.apply(running(protocol, mode)));
  opened.push(() => listener.close());
  return { state, listener, port: listener.port as number };
}

type Greeted = {
  readonly admitted: boolean;
  readonly resumed: boolean;
  readonly session: Buffer;
};

/** Connects and hears whether the server goes on: FTP greets with 220 or 421, HTTP asks for a login or says 403. */
async function greet(protocol: Protocol, port: number, options: tls.ConnectionOptions): Promise<Greeted> {
  const socket = tls.connect({
    port,
    host: '127.0.0.1',
    servername: 'localhost',
    rejectUnauthorized: false,
    ...options,
  });
  socket.on('error', () => {});
  opened.push(() => void socket.destroy());
  let session: Buffer | undefined;
  socket.on('session', (given) => {
    session = given;
  });
  await once(socket, 'secureConnect');
  const resumed = socket.isSessionReused();
  if (protocol === 'http') socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const [said] = await once(socket, 'data');
  session ??= socket.getSession();
  socket.destroy();
  const code = /^(?:HTTP\/1\.1 )?(\d{3})/.exec(String(said))?.[1];
  expect(code).toMatch(/^(220|421|401|403)$/);
  return { admitted: code === '220' || code === '401', resumed, session: session as Buffer };
}

describe.each(['ftp', 'http'] as const)('%s', (protocol) => {
  describe.each(['TLSv1.2', 'TLSv1.3'] as const)('%s', (version) => {
    const withAnna = (): tls.ConnectionOptions => ({
      cert: anna.pem,
      key: anna.keyPem,
      minVersion: version,
      maxVersion: version,
    });

    async function first(port: number): Promise<tls.ConnectionOptions> {
      const { session, ...told } = await greet(protocol, port, withAnna());
      expect(told).toEqual({ admitted: true, resumed: false });
      return { ...withAnna(), session };
    }

    test('a session of an accepted certificate goes on', async () => {
      const { port } = await listen(protocol, 'required');
      const again = await first(port);
      expect(await greet(protocol, port, again)).toMatchObject({ admitted: true, resumed: true });
    });

    const listed = (serials: readonly string[]): ZoneView =>
      viewOf({
        cas: [ca],
        registered: registered(),
        crlRules: [
          {
            id: 'crt-root',
            ca: unwrap(parseCertificate(ca.der)),
            onStaleCrl: 'reject',
            list: {
              number: '4',
              nextUpdate: new Date(Date.now() + 60_000),
              serials: unwrap(readSerials(packSerials(serials))),
            },
          },
        ],
      });

    test.each([
      ['its CA was removed', () => viewOf({ cas: [other], registered: registered() })],
      ['it was revoked', () => viewOf({ cas: [ca], registered: registered(), revoked: [anna] })],
      ['a list has named it', () => listed([unwrap(parseCertificate(anna.der)).serial])],
      ['it was taken from its account', () => viewOf({ cas: [ca] })],
    ])('and no more after %s', async (_why, view) => {
      const { port, state } = await listen(protocol, 'required');
      const again = await first(port);
      state.view = view();
      expect(await greet(protocol, port, again)).toMatchObject({ admitted: false });
      // Nor does a full handshake get any further.
      expect(await greet(protocol, port, withAnna())).toMatchObject({ admitted: false, resumed: false });
    });

    test('one without a certificate is not taken up by a listener that requires one', async () => {
      const { port, listener } = await listen(protocol, 'optional');
      const only = { minVersion: version, maxVersion: version } as const;
      const { session, admitted } = await greet(protocol, port, only);
      expect(admitted).toBe(true);
      unwrap(await listener.apply(running(protocol, 'required')));
      const told = await greet(protocol, listener.port as number, { ...only, session });
      expect(told).toMatchObject({ admitted: false, resumed: false });
    });
  });

  test('ALPN agrees on the protocol, and turns away who would speak another one alone', async () => {
    const { port } = await listen(protocol, 'optional');
    const offer = async (...ALPNProtocols: string[]): Promise<string | false | null> => {
      const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols });
      opened.push(() => void socket.destroy());
      await once(socket, 'secureConnect');
      return socket.alpnProtocol;
    };
    const own = protocol === 'ftp' ? 'ftp' : 'http/1.1';
    const foreign = protocol === 'ftp' ? 'http/1.1' : 'ftp';
    expect(await offer(foreign, own)).toBe(own);
    await expect(offer(foreign)).rejects.toThrow(/no application protocol/);
  });
});
