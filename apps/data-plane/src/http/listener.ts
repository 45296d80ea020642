import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse, ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { getRequestListener } from '@hono/node-server';
import { ok, type Result, refuse } from '@sallyport/faults';
import type { HttpServer } from '@sallyport/model';
import type { CredentialFact } from '@sallyport/policy';
import type { AdapterContext, Listener } from '../adapter.ts';
import { createFrontDoor } from '../front-door.ts';
import type { CredentialStands } from '../login.ts';
import { createTlsAcceptor, type TlsAcceptor } from '../tls/acceptor.ts';
import type { RunningServer } from '../zone-view.ts';
import { createHttpApp } from './app.ts';
import { blockSizeFor } from './block-size.ts';
import { createHttpConnection, type HttpConnection } from './connection.ts';
import { createLockGuard } from './dav/lock-guard.ts';
import { locksInMemory } from './dav/lock-table.ts';
import { firstByte } from './first-byte.ts';
import { createHttp2Engine } from './http2.ts';
import { type Pace, usualPace } from './pace.ts';
import { sendProblem } from './problem.ts';
import { securityHeaders } from './security-headers.ts';
import { createSendOff } from './send-off.ts';
import { webSessionsInMemory } from './web-session/store.ts';
import { createWebSessions } from './web-session/web-sessions.ts';

const maxHeaderBytes = 16_384;
const maxHeaders = 100;

/** What a test wants different. */
export type HttpListenerOptions = { readonly pace?: Pace };

/**
 * One HTTP(S) listener: our own listening socket, the TLS acceptor of the node, and a `node:http` server that only
 * parses. A connection keeps the definition it came in under; `apply` changes what the next one meets.
 *
 * Faults of `apply`: `item-port-in-use`, `item-engine-refused`, `item-key-missing`, `item-key-mismatch`.
 */
export function createHttpListener(
  context: AdapterContext,
  options: HttpListenerOptions = {},
): Listener<HttpServer> {
  let running: RunningServer<HttpServer> | undefined;
  let acceptor: TlsAcceptor | undefined;
  let transfers = 0;
  const connections = new WeakMap<object, HttpConnection>();

  const webSessions = createWebSessions({
    store: context.webSessions ?? webSessionsInMemory(),
    now: context.now,
    resume: context.resume,
  });
  const app = createHttpApp({
    context,
    webSessions,
    guard: createLockGuard(context.locks ?? locksInMemory(), context.now),
    pace: options.pace ?? usualPace,
    admits: () => running?.server.state === 'running',
    secure: () => acceptor !== undefined,
    async transfer(run) {
      transfers++;
      try {
        await run(blockSizeFor(transfers));
      } finally {
        transfers--;
      }
    },
  });

  // It never listens: it is handed sockets. requestTimeout would bound a whole upload; the connection bounds
  // its own waits instead.
  const http = createServer({
    maxHeaderSize: maxHeaderBytes,
    requestTimeout: 0,
    headersTimeout: 0,
    insecureHTTPParser: false,
  });
  // node:http drops what is above the count without a word: one more than we take shows it.
  http.maxHeadersCount = maxHeaders + 1;
  http.keepAliveTimeout = 75_000;
  const serveSocket = (incoming: IncomingMessage, outgoing: ServerResponse): void =>
    serve(incoming, outgoing, incoming.socket);
  http.on('request', serveSocket);
  // The handler answers 100 Continue itself, once it wants the body.
  http.on('checkContinue', serveSocket);
  const http2 = createHttp2Engine(serve);
  const sendOff = createSendOff();
  http.on('checkExpectation', (_, outgoing) => {
    outgoing.writeHead(417, { 'Content-Length': '0', Connection: 'close' }).end();
  });
  http.on('clientError', (_, socket) => {
    // In the middle of an answer these bytes would pass for a part of it.
    if (!socket.writable || connections.get(socket)?.busy()) socket.destroy();
    else socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  });

  function serve(
    incoming: IncomingMessage | Http2ServerRequest,
    outgoing: ServerResponse | Http2ServerResponse,
    carrier: Socket | ServerHttp2Session,
  ): void {
    incoming.on('error', () => {});
    outgoing.on('error', () => {});
    const connection = connections.get(carrier);
    if (!connection) {
      carrier.destroy();
      return;
    }
    const { channel, server } = connection;
    for (const [name, value] of Object.entries(securityHeaders({ channel, hsts: server.http.hsts }))) {
      outgoing.setHeader(name, value);
    }
    if (incoming.rawHeaders.length > 2 * maxHeaders) {
      connection.enqueue(async () => sendProblem(outgoing, 'message-malformed', { Connection: 'close' }));
      return;
    }
    const bindings = { incoming, outgoing, connection };
    const route = getRequestListener((request) => app.fetch(request, bindings), {
      hostname: 'localhost',
      overrideGlobalObjects: false,
      autoCleanupIncoming: false,
      // What does not even become a request: a Host header or a target that is none.
      errorHandler: () => sendProblem(outgoing, 'message-malformed'),
    });
    connection.enqueue(async () => {
      try {
        await route(incoming, outgoing);
      } catch {
        sendProblem(outgoing, 'internal');
      }
      // HTTP/2 has no header that says so: no new stream, and those that are open come to their end.
      if (connection.exhausted() && 'goaway' in carrier && !carrier.closed) carrier.close();
    });
  }

  const door = createFrontDoor({
    definition: () => running?.server,
    connections: context.connections,
    onLimited: (source, reason) => {
      const server = running?.server.id;
      if (server) context.notice({ kind: 'listener', server, source, outcome: 'refused', reason });
    },
    enter(socket, source) {
      welcome(socket, running as RunningServer<HttpServer>, source).catch(() => socket.destroy());
    },
  });

  async function welcome(socket: Socket, at: RunningServer<HttpServer>, source: string): Promise<void> {
    const { server } = at;
    const tls = acceptor;
    const speaks = !server.http.plain
      ? 'tls'
      : tls
        ? await firstByte(socket, server.limits.loginGraceSeconds * 1_000)
        : 'clear';
    if (speaks === 'clear')
      return open(socket, at, source, { channel: 'clear', credential: { kind: 'none' } });
    if (speaks === 'closed' || !tls) {
      socket.destroy();
      return;
    }

    const outcome = await tls.secure(socket, source);
    if (outcome.kind === 'failed') {
      // A health check connects, says nothing and leaves: no line for each.
      if (socket.bytesRead === 0) return;
      context.notice({
        kind: 'listener',
        server: server.id,
        source,
        outcome: 'failed',
        reason: outcome.reason,
      });
      return;
    }
    const secured = outcome.socket;
    secured.on('error', () => secured.destroy());
    secured.once('close', () => socket.destroy());
    if (outcome.admission.kind === 'proceed') {
      return open(secured, at, source, {
        channel: 'encrypted',
        credential: outcome.credential,
        credentialStands: outcome.credentialStands,
      });
    }
    // Of one that is not acceptable the acceptor has told, with the reason.
    if (outcome.credential.kind !== 'invalid') {
      const { reason } = outcome.admission;
      context.notice({ kind: 'listener', server: server.id, source, outcome: 'refused', reason });
    }
    sendOff(secured, server);
  }

  function open(
    socket: Socket,
    at: RunningServer<HttpServer>,
    source: string,
    shown: {
      readonly channel: 'encrypted' | 'clear';
      readonly credential: CredentialFact;
      readonly credentialStands?: CredentialStands | undefined;
    },
  ): void {
    if (socket.destroyed) return;
    const come = { server: at.server, source, context, ...shown };
    if (socket instanceof TLSSocket && socket.alpnProtocol === 'h2') {
      const session = http2.open(socket);
      if (!session) return void socket.destroy();
      connections.set(session, createHttpConnection({ carrier: session, ordering: 'concurrent', ...come }));
      return;
    }
    connections.set(socket, createHttpConnection({ carrier: socket, ordering: 'one-by-one', ...come }));
    http.emit('connection', socket);
  }

  /** The TLS side for a definition; the one in use is changed in place. */
  function securedBy(next: RunningServer<HttpServer>): Result<TlsAcceptor | undefined> {
    if (next.identities.length === 0) {
      return next.server.http.plain
        ? ok(undefined)
        : refuse('item-key-missing', 'HTTPS without a certificate');
    }
    const tls = acceptor ?? createTlsAcceptor({ context, running: next, alpn: ['h2', 'http/1.1'] });
    const updated = tls.update(next);
    return updated.ok ? ok(tls) : updated;
  }

  return {
    get port() {
      return door.port;
    },

    async apply(next) {
      if (next.server.state === 'suspended') {
        running = next;
        door.shut();
        return ok(undefined);
      }
      const before = running;
      const tls = securedBy(next);
      if (!tls.ok) return tls;
      // Set before the socket listens: a client may be waiting for it.
      running = next;
      const acceptorBefore = acceptor;
      acceptor = tls.value;
      const moved = await door.moveTo(next.server.host, next.server.port);
      if (!moved.ok) {
        running = before;
        acceptor = acceptorBefore;
        if (before && before.identities.length > 0) acceptorBefore?.update(before);
      }
      return moved;
    },

    async stopAccepting() {
      door.shut();
    },

    async close() {
      await door.close();
      webSessions.close();
    },
  };
}
