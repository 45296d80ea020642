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

/** Longest `data` of a session that is kept: it holds the client's certificate, which may be of any size. */
export const maxSessionLength = 16_384;
/** Of all sessions together: anybody may begin one, before anything is judged. */
const defaultMaxLength = 32 << 20;

/**
 * Keeps at most `capacity` sessions, of `maxLength` characters of `data` in all, the latest; and none longer than
 * `lifetimeMs` after its full handshake.
 *
 * @param now milliseconds since the epoch
 */
export function createSessionStore(options: {
  readonly capacity: number;
  readonly maxLength?: number;
  readonly lifetimeMs: number;
  readonly now: () => number;
}): SessionStore {
  const { capacity, maxLength = defaultMaxLength } = options;
  const sessions = new Map<string, StoredSession>();
  let length = 0;
  function remove(id: string): void {
    length -= sessions.get(id)?.data.length ?? 0;
    sessions.delete(id);
  }
  return {
    put(id, session) {
      if (session.data.length > maxSessionLength) return;
      remove(id);
      sessions.set(id, session);
      length += session.data.length;
      for (const oldest of sessions.keys()) {
        if (sessions.size <= capacity && length <= maxLength) break;
        remove(oldest);
      }
    },
    async find(id) {
      const session = sessions.get(id);
      if (!session || options.now() - session.origin < options.lifetimeMs) return session;
      remove(id);
      return undefined;
    },
  };
}
