import { EventEmitter } from 'node:events';
import type { Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { TlsContexts } from './contexts.ts';
import type { ControlSessions } from './control-sessions.ts';
import { handshakeOf } from './handshake.ts';
import type { SessionHolder } from './session-holders.ts';
import { attachStaple } from './staple.ts';

/** A data connection of FTP after its handshake. */
export type DataTlsOutcome =
  | { readonly kind: 'open'; readonly socket: TLSSocket; readonly resumed: boolean }
  /** The socket is destroyed; `reason` is for the event log. */
  | { readonly kind: 'failed'; readonly reason: string }
  /** The handshake went well, with a session that is not the account's own, or with none. It is destroyed, too. */
  | { readonly kind: 'refused'; readonly reason: 'data-session-none' | 'data-session-foreign' };

/**
 * Runs the server side of TLS on a data connection. No client certificate is asked for. Never rejects.
 *
 * @param contexts those of the control connection, or such that take up no session
 * @param host what selected the identity of the control connection
 * @param bound set where the session must be one of `holder`'s
 */
export async function secureData(
  raw: Duplex,
  options: {
    readonly contexts: TlsContexts;
    readonly host: string | undefined;
    readonly now: () => number;
    readonly bound?: ControlSessions | undefined;
    readonly holder: SessionHolder;
    readonly timeoutMs: number;
  },
): Promise<DataTlsOutcome> {
  const { contexts, host, bound, holder, timeoutMs } = options;
  raw.on('error', () => raw.destroy());
  const events = new EventEmitter();
  bound?.attach(events);
  let socket: TLSSocket;
  try {
    const context = contexts.contextFor(host);
    if (contexts.staples) attachStaple(events, context, () => contexts.stapleFor(host, options.now()));
    socket = new TLSSocket(raw as Socket, {
      isServer: true,
      secureContext: context,
      // Node asks an emitter of that name for sessions and responses; a listening server it need not be.
      ...(bound || contexts.staples ? { server: events as Server } : {}),
      requestCert: false,
      rejectUnauthorized: false,
    });
  } catch {
    raw.destroy();
    return { kind: 'failed', reason: 'identity-unusable' };
  }
  const shaken = async () => ({ failure: await handshakeOf(socket, timeoutMs) });
  const handshake = bound ? await bound.duringData(shaken) : await shaken();
  if (!handshake || handshake.failure !== undefined) {
    socket.destroy();
    return { kind: 'failed', reason: handshake?.failure ?? 'handshake-under-way' };
  }
  const session = bound ? await bound.dataSession(socket, holder) : 'own';
  if (session !== 'own') {
    socket.destroy();
    return { kind: 'refused', reason: session === 'none' ? 'data-session-none' : 'data-session-foreign' };
  }
  return socket.destroyed
    ? { kind: 'failed', reason: 'connection-closed' }
    : { kind: 'open', socket, resumed: socket.isSessionReused() };
}
