/** What is known of a web session wherever it is looked up: plain data, and nothing that signs anybody in. */
export type WebSessionRecord = {
  /** SHA-256 of the cookie, hexadecimal: the cookie itself is kept nowhere. */
  readonly digest: string;
  readonly server: string;
  readonly account: string;
  /** What the sign-in was decided for: later requests come from the same. */
  readonly network: string;
  readonly credential: string | undefined;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly seenAt: number;
};

/**
 * Where web sessions are remembered: in this process, or in one that all processes of the node ask. Every call takes
 * and gives plain data.
 */
export interface WebSessionStore {
  /** @returns `full` where it takes no more */
  add(record: WebSessionRecord): Promise<'added' | 'full'>;
  /** Looks one up and notes that it was in use. @param at milliseconds since the epoch */
  seen(digest: string, at: number): Promise<WebSessionRecord | undefined>;
  remove(digest: string): Promise<void>;
}

/** The store of a single process. What is at its end makes room for what begins. */
export function webSessionsInMemory(options: {
  readonly capacity: number;
  readonly absoluteMs: number;
}): WebSessionStore {
  const records = new Map<string, WebSessionRecord>();
  return {
    async add(record) {
      if (records.size >= options.capacity) {
        for (const [digest, { startedAt }] of records) {
          if (record.startedAt - startedAt >= options.absoluteMs) records.delete(digest);
        }
      }
      if (records.size >= options.capacity) return 'full';
      records.set(record.digest, record);
      return 'added';
    },
    async seen(digest, at) {
      const record = records.get(digest);
      if (record) records.set(digest, { ...record, seenAt: at });
      return record;
    },
    async remove(digest) {
      records.delete(digest);
    },
  };
}
