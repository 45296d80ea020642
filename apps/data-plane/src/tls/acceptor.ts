import { EventEmitter } from 'node:events';
import { type Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { type Result, refuse } from '@sallyport/faults';
import type { FtpServer, HttpServer } from '@sallyport/model';
import { admitHandshake, type CredentialFact } from '@sallyport/policy';
import type { AdapterContext } from '../adapter.ts';
import type { CredentialStands } from '../login.ts';
import type { RunningServer, ZoneView } from '../zone-view.ts';
import { createTlsContexts, type SessionUse, type TlsContexts } from './contexts.ts';
import { createControlSessions } from './control-sessions.ts';
import { type JudgedCredential, judgeClientCertificate } from './credential.ts';
import { handshakeOf } from './handshake.ts';
import { usableIdentities } from './identities.ts';
import { createTlsMemories } from './memories.ts';
import { type DataTlsOutcome, secureData } from './secure-data.ts';
import { attachStaple } from './staple.ts';
import { freeTickets } from './tickets.ts';

/** What the handshake of a connection came to. Nothing that the client sent after it has been read. */
export type TlsOutcome =
  | {
      readonly kind: 'open';
      readonly socket: TLSSocket;
      /** The client certificate, judged. */
      readonly credential: CredentialFact;
      /** Judges it again later, for a session that rests on it. */
      readonly credentialStands?: CredentialStands;
      /** Whether the connection may go on; `refuse`: the protocol says so in its own words and closes. */
      readonly admission: ReturnType<typeof admitHandshake>;
      /** FTP: the connection has logged in; data connections of this account may take up its session from now on. */
      readonly bindTo: (account: string) => void;
      /**
       * Secures an FTP data connection of this control connection, under the same identity; `tlsSessionReuse` of the
       * server says whether the client may or must take up a session of the account. No client certificate is asked
       * for.
       */
      readonly secureData: (socket: Duplex, account: string) => Promise<DataTlsOutcome>;
    }
  /** The socket is destroyed; `reason` is for the event log. */
  | { readonly kind: 'failed'; readonly reason: string };

/** The TLS side of one listener. Every handshake meets the identities, mode and trust in force as it starts. */
export interface TlsAcceptor {
  /**
   * Runs the server side of a handshake and judges the client certificate. Never rejects. A certificate that is not
   * acceptable is told to the event log with the exact reason, whatever the connection comes to by other proofs.
   *
   * @param source address of the client
   */
  secure(socket: Socket | Duplex, source?: string): Promise<TlsOutcome>;
  /**
   * Changes what later handshakes meet.
   *
   * @returns `item-key-missing` or `item-key-mismatch`, and then everything stays as it was
   */
  update(running: RunningServer<FtpServer | HttpServer>): Result<void>;
}

/** An address as certificates write it: without zone index and without the IPv4-mapped form of a dual-stack socket. */
const plainAddress = (address: string | undefined): string | undefined =>
  address?.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '');

/**
 * The one place where FTP and HTTP listeners turn a socket into TLS (design section 4): the client certificate is
 * asked for, never enforced by OpenSSL, and judged by `verifyClient` alone. `socket.authorized` says nothing here.
 * Trust and policy are read from `context.view()` per handshake: their changes need no call.
 *
 * @param running with identities that `usableIdentities` accepts; with others every handshake fails
 * @param alpn protocols to agree on, first preferred (RFC 7301); a client that offers others alone is turned away, one
 *   that offers none is not. Left out, offers are passed over
 */
export function createTlsAcceptor(options: {
  readonly context: AdapterContext;
  readonly running: RunningServer<FtpServer | HttpServer>;
  readonly alpn?: readonly string[];
}): TlsAcceptor {
  const { context, alpn } = options;
  const memories = context.tlsMemories ?? createTlsMemories({ now: context.now });
  const free: SessionUse = { kind: 'free', tickets: freeTickets(memories.ticketKeys, context.now) };
  let running = options.running;
  let identities = usableIdentities(running.identities);
  /** Contexts that all connections of a view share. */
  let shared: { readonly view: ZoneView; readonly of: Map<SessionUse['kind'], TlsContexts> } | undefined;

  function contextsFor(view: ZoneView, sessions: SessionUse): TlsContexts {
    if (shared?.view !== view) shared = { view, of: new Map() };
    const known = sessions.kind === 'bound' ? undefined : shared.of.get(sessions.kind);
    if (known) return known;
    if (!identities.ok) throw new Error(`no usable identity: ${identities.fault.code}`);
    const contexts = createTlsContexts({
      server: running.server,
      algorithms: running.algorithms.tls,
      identities: identities.value,
      trust: view.trust,
      sessions,
    });
    if (sessions.kind !== 'bound') shared.of.set(sessions.kind, contexts);
    return contexts;
  }

  async function secure(raw: Socket | Duplex, source?: string): Promise<TlsOutcome> {
    raw.on('error', () => raw.destroy());
    const { server } = running;
    const graceMs = server.limits.loginGraceSeconds * 1_000;
    const cameTo = raw instanceof Socket ? plainAddress(raw.localAddress) : undefined;
    const reuse = server.protocol === 'ftp' ? server.ftp.tlsSessionReuse : 'preferred';
    const bound = reuse === 'required' ? createControlSessions(memories, context.now) : undefined;
    if (bound) raw.once('close', () => bound.close());
    const events = new EventEmitter();
    bound?.attach(events);
    let contexts: TlsContexts;
    let dataContexts: TlsContexts;
    let socket: TLSSocket;
    try {
      const view = context.view();
      contexts = contextsFor(view, bound ? { kind: 'bound', tickets: bound.tickets } : free);
      dataContexts = reuse === 'off' ? contextsFor(view, { kind: 'none' }) : contexts;
      const byAddress = contexts.contextFor(cameTo);
      let named = cameTo;
      if (contexts.staples) {
        attachStaple(events, byAddress, () => contexts.stapleFor(named, context.now()));
      }
      socket = new TLSSocket(raw as Socket, {
        isServer: true,
        secureContext: byAddress,
        // Node asks an emitter of that name for sessions and responses; a listening server it need not be.
        ...(bound || contexts.staples ? { server: events as Server } : {}),
        requestCert: contexts.requestCert,
        rejectUnauthorized: false,
        SNICallback: (name, done) => {
          try {
            named = name;
            done(null, contexts.contextFor(name));
          } catch (error) {
            done(error as Error);
          }
        },
        ...(alpn ? { ALPNProtocols: [...alpn] } : {}),
      });
    } catch {
      raw.destroy();
      return { kind: 'failed', reason: 'identity-unusable' };
    }
    const failure = await handshakeOf(socket, graceMs);
    if (failure !== undefined) return { kind: 'failed', reason: failure };
    bound?.shaken(socket.isSessionReused() ? 'resumed' : 'new');

    const view = context.view();
    let judged: JudgedCredential = { fact: { kind: 'none' } };
    try {
      if (contexts.requestCert) {
        judged = await judgeClientCertificate(socket, {
          view,
          now: context.now,
          trustDigest: contexts.trustDigest,
          memory: memories.chains,
        });
      }
    } catch {
      // Not even the reading of what the client sent may reach the caller as an exception.
      socket.destroy();
    }
    if (judged.fact.kind === 'invalid') {
      context.notice({
        kind: 'listener',
        server: server.id,
        ...(source === undefined ? {} : { source }),
        outcome: 'refused',
        reason: 'credential-invalid',
        detail: { credential: judged.fact.reason.slice(0, 1_000) },
      });
    }
    if (socket.destroyed) return { kind: 'failed', reason: 'connection-closed' };
    return {
      kind: 'open',
      socket,
      credential: judged.fact,
      ...(judged.stands ? { credentialStands: judged.stands } : {}),
      admission: admitHandshake(server.clientCertificate, view.policy, judged.fact),
      bindTo: (account) => bound?.bind({ account, source: source ?? '' }),
      secureData: (data, account) =>
        secureData(data, {
          contexts: dataContexts,
          host: socket.servername || cameTo,
          now: context.now,
          bound,
          holder: { account, source: source ?? '' },
          timeoutMs: graceMs,
        }),
    };
  }

  return {
    secure,
    update(next) {
      const usable = usableIdentities(next.identities);
      if (!usable.ok) return refuse(usable.fault.code, usable.fault.detail);
      running = next;
      identities = usable;
      shared = undefined;
      return { ok: true, value: undefined };
    },
  };
}
