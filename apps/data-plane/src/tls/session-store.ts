/** A session of TLS 1.2 whose client takes no tickets, as curl does: the server keeps it. Plain data. */
export type StoredSession = {
  /** What OpenSSL wrote, in base64; the session's secrets are in it. */
  readonly data: string;
  /** The control connection that it began on, see `TicketName`. */
  readonly control: string;
  /** When its full handshake was; milliseconds since the epoch. */
  readonly origin: number;
};

/** Sessions by their id in hexadecimal. */
export interface SessionStore {
  put(id: string, session: StoredSession): void;
  find(id: string): Promise<StoredSession | undefined>;
}

/**
 * Keeps at most `capacity` sessions, and none longer than `lifetimeMs` after its full handshake.
 *
 * @param now milliseconds since the epoch
 */
export function createSessionStore(options: {
  readonly capacity: number;
  readonly lifetimeMs: number;
  readonly now: () => number;
}): SessionStore {
  const sessions = new Map<string, StoredSession>();
  return {
    put(id, session) {
      sessions.delete(id);
      sessions.set(id, session);
      if (sessions.size <= options.capacity) return;
      const oldest = sessions.keys().next();
      if (!oldest.done) sessions.delete(oldest.value);
    },
    async find(id) {
      const session = sessions.get(id);
      if (!session || options.now() - session.origin < options.lifetimeMs) return session;
      sessions.delete(id);
      return undefined;
    },
  };
}
