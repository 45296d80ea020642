import type { PlainAdmission } from '../../session.ts';

/** However busy it is, a web session ends after this time. */
export const absoluteMs = 12 * 3_600_000;

/** What is known of a web session wherever it is looked up: plain data, and no cookie that signs anybody in. */
export type WebSessionRecord = {
  /** SHA-256 of the cookie, hexadecimal: the cookie itself is kept nowhere. */
  readonly digest: string;
  readonly server: string;
  readonly account: string;
  /** Id of the session of the login desk. */
  readonly session: string;
  /** What another process serves it by. */
  readonly admission: PlainAdmission | undefined;
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
  /** Looks one up and notes nothing. */
  peek(digest: string): Promise<WebSessionRecord | undefined>;
  remove(digest: string): Promise<void>;
}

const maxWebSessions = 10_000;

/** The store of a single process. What is at its end makes room for what begins. */
export function webSessionsInMemory(
  options: { readonly capacity: number; readonly absoluteMs: number } = {
    capacity: maxWebSessions,
    absoluteMs,
  },
): WebSessionStore {
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
    peek: async (digest) => records.get(digest),
    async remove(digest) {
      records.delete(digest);
    },
  };
}
