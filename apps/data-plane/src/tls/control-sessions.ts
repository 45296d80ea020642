import { randomBytes } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { TLSSocket } from 'node:tls';
import type { TlsMemories } from './memories.ts';
import type { SessionHolder } from './session-holders.ts';
import { maxSessionLength, type StoredSession } from './session-store.ts';
import type { TicketSecret } from './ticket-keys.ts';
import { admitsLogin, type TicketRules } from './tickets.ts';

/** Whose the session is that a data connection came with. */
export type DataSession = 'own' | 'none' | 'foreign';

/** The TLS sessions of one control connection, whose data connections must take one of them up. */
export interface ControlSessions {
  /** For every context that the control connection or a data connection of it is made under. */
  readonly tickets: TicketRules;
  /** Has the connection's sessions of TLS 1.2 without tickets kept, and found again. */
  attach(events: EventEmitter): void;
  /** The handshake of the control connection is done. */
  shaken(session: 'new' | 'resumed'): void;
  /** The control connection has logged in. */
  bind(holder: SessionHolder): void;
  /**
   * Runs the handshake of a data connection; one at a time, since OpenSSL does not say whose ticket it asks about.
   *
   * @returns what `run` returned; nothing where another handshake is under way
   */
  duringData<T>(run: () => Promise<T>): Promise<T | undefined>;
  /** Whose session the data connection has taken up, whose handshake `duringData` has run. */
  dataSession(socket: TLSSocket, holder: SessionHolder): Promise<DataSession>;
  /** The control connection is gone. */
  close(): void;
}

type Handshake = {
  readonly use: 'control' | 'data';
  /** Of the session, see `TicketName`. */
  origin: number;
  /** The control connection whose session the client offered. */
  from?: string;
  sealed?: true;
};

/**
 * Names the control connection in all sessions that begin on it, and tells of a data connection which one its session
 * began on. A session of the same account and address passes, too: curl and lftp hold those of parallel connections
 * in one place. Tickets are renewed each time, since curl uses each once; what a login may take up stays bounded by
 * its full handshake all the same.
 */
export function createControlSessions(
  memories: Pick<TlsMemories, 'ticketKeys' | 'sessions' | 'holders'>,
  now: () => number,
): ControlSessions {
  const { ticketKeys, sessions, holders } = memories;
  const control = randomBytes(8).toString('hex');
  let handshake: Handshake = { use: 'control', origin: now() };
  let dataUnderWay = false;
  /** What the control connection's own tickets are under: they are good for its data as long as it lives. */
  let ownSecret: TicketSecret | undefined;
  let ownSession: { readonly id: string; readonly stored: StoredSession } | undefined;
  /** What the client of the control connection asked for by its id, which is no secret: it may be anybody's. */
  let offered: typeof ownSession;
  holders.open(control);

  const tickets: TicketRules = {
    seal() {
      const secret = ticketKeys.current();
      if (handshake.use === 'control') ownSecret = secret;
      handshake.sealed = true;
      return { secret, origin: handshake.origin, control };
    },
    open(name) {
      if (handshake.use === 'control' && !admitsLogin(name, now())) return undefined;
      const own = name.control === control && ownSecret?.id === name.secretId ? ownSecret : undefined;
      const secret = own ?? ticketKeys.find(name.secretId);
      if (!secret) return undefined;
      handshake.origin = Math.min(handshake.origin, name.origin);
      handshake.from = name.control;
      // Whatever is taken up now, it is not that.
      offered = undefined;
      return { secret, ticket: 'renewed' };
    },
  };

  async function stored(id: string): Promise<Buffer | null> {
    const running = handshake;
    const own = ownSession?.id === id ? ownSession.stored : undefined;
    const found = own ?? (await sessions.find(id));
    if (!found || (running.use === 'control' && !admitsLogin(found, now()))) return null;
    running.origin = Math.min(running.origin, found.origin);
    running.from = own ? control : found.control;
    if (running.use === 'control') offered = { id, stored: found };
    return Buffer.from(found.data, 'base64');
  }

  return {
    tickets,
    attach(events) {
      events.on('newSession', (id: Buffer, data: Buffer, done: () => void) => {
        // A session that went into a ticket is the client's to keep, and one of a data connection is of no use.
        if (id.length > 0 && !handshake.sealed && handshake.use === 'control') {
          const session = { data: data.toString('base64'), control, origin: handshake.origin };
          ownSession = { id: id.toString('hex'), stored: session };
          if (session.data.length <= maxSessionLength) sessions.put(ownSession.id, session);
        }
        done();
      });
      events.on('resumeSession', (id: Buffer, done: (error: null, session: Buffer | null) => void) => {
        stored(id.toString('hex')).then(
          (session) => done(null, session),
          () => done(null, null),
        );
      });
    },
    shaken(session) {
      if (session === 'resumed' && offered) ownSession = offered;
      offered = undefined;
    },
    bind: (holder) => holders.bind(control, holder),
    async duringData(run) {
      if (dataUnderWay) return undefined;
      dataUnderWay = true;
      handshake = { use: 'data', origin: handshake.origin };
      try {
        return await run();
      } finally {
        dataUnderWay = false;
      }
    },
    async dataSession(socket, holder) {
      const { from } = handshake;
      if (!socket.isSessionReused()) return 'none';
      if (from === control) return 'own';
      const of = from === undefined ? undefined : await holders.holderOf(from);
      return of?.account === holder.account && of.source === holder.source ? 'own' : 'foreign';
    },
    close: () => holders.close(control),
  };
}
