import {
  createServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2';
import type { Socket } from 'node:net';

const mebibyte = 1 << 20;

/**
 * Bounds of one HTTP/2 connection (RFC 9113 sections 5.1.2, 6.5.2, 10.5). Streams that are opened only to be reset
 * (CVE-2023-44487) run out of their burst; unanswered pings and settings, and a header that goes on in endless
 * CONTINUATION frames, end the connection in the engine itself.
 */
const bounds = {
  settings: {
    maxConcurrentStreams: 100,
    maxHeaderListSize: 16_384,
    initialWindowSize: mebibyte,
    enablePush: false,
    enableConnectProtocol: false,
  },
  maxHeaderListPairs: 100,
  maxSettings: 16,
  maxOutstandingPings: 10,
  maxOutstandingSettings: 10,
  maxSessionInvalidFrames: 16,
  maxSessionRejectedStreams: 16,
  /** MiB: two windows in each direction and what waits to be sent. */
  maxSessionMemory: 16,
  streamResetBurst: 200,
  streamResetRate: 20,
  unknownProtocolTimeout: 5_000,
} as const;

/** Bytes that a client may send ahead on all its streams together. */
const connectionWindow = 4 * mebibyte;

/** Node's HTTP/2, handed sockets on which `h2` was agreed. */
export interface Http2Engine {
  /** Takes the socket over. Its requests come with the session that is returned. */
  open(socket: Socket): ServerHttp2Session | undefined;
}

export function createHttp2Engine(
  serve: (incoming: Http2ServerRequest, outgoing: Http2ServerResponse, session: ServerHttp2Session) => void,
): Http2Engine {
  const http2 = createServer(bounds);
  let opened: ServerHttp2Session | undefined;
  http2.on('session', (session) => {
    opened = session;
    session.on('error', () => session.destroy());
    session.setLocalWindowSize(connectionWindow);
  });
  http2.on('sessionError', (_, session) => session?.destroy());
  const take = (incoming: Http2ServerRequest, outgoing: Http2ServerResponse): void => {
    const { session } = incoming.stream;
    // A stream that was reset before it was looked at has none.
    if (session instanceof Object && 'goaway' in session)
      serve(incoming, outgoing, session as ServerHttp2Session);
  };
  http2.on('request', take);
  // The handler answers 100 Continue itself, once it wants the body.
  http2.on('checkContinue', take);

  return {
    open(socket) {
      opened = undefined;
      // A TLSSocket of ours has no tls.Server that would note the end of its handshake; the engine would wait for it.
      Object.assign(socket, { secureConnecting: false });
      http2.emit('connection', socket);
      return opened;
    },
  };
}
