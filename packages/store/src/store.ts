import { type Fault, FaultError, type Result } from '@sallyport/faults';
import { eq, sql } from 'drizzle-orm';
import { type AuditEntry, appendAudit } from './audit.ts';
import type { Database, Queries } from './database.ts';
import { installation, outbox, zones } from './tables/index.ts';

/** Number of the migrations this code was written for; `migrations/` holds as many. */
export const schemaNumber = 6;

/** A change in progress: queries, and what must be written with them. */
export interface Change {
  readonly queries: Queries;
  /** The change's own number. */
  readonly sequence: number;
  readonly at: string;
  /** Adds a row to the audit log of this transaction. */
  audit(action: string, target: string, detail?: Record<string, unknown>): void;
  /** Zones whose snapshot this change concerns; `all` for the global policy and for trust. */
  touch(concerned: readonly string[] | 'all'): void;
}

export type Committed<T> = {
  readonly value: T;
  readonly changeSequence: number;
  readonly touched: readonly string[];
};

/** The one way to the database: reads of one moment, and changes that carry their audit rows and outbox. */
export interface Store {
  /** Runs `work` on one consistent state. */
  read<T>(work: (queries: Queries) => Promise<T>): Promise<T>;
  /** Runs single reads; each sees the newest state. */
  readonly queries: Queries;
  /**
   * Runs `work` in one write transaction: rows, audit rows and outbox commit together or not at all.
   * A FaultError thrown by `work` rolls back and comes out as the refusal; `internal` is none and is thrown on.
   *
   * @param actor `token:<id>`, `node:<id>`, `init` or `timer`
   */
  change<T>(actor: string, work: (change: Change) => Promise<T>): Promise<Result<Committed<T>>>;
  /**
   * Runs `work` in one write transaction that is no change of configuration: what nodes report, what was published.
   * It counts nothing and audits nothing.
   */
  record<T>(work: (queries: Queries) => Promise<T>): Promise<T>;
  /** `schema-mismatch` where the database has another schema; asked on first use, then remembered. */
  checkSchema(): Promise<Fault | undefined>;
}

const busyRetries = 8;

/** Is one of the error and its causes the refusal that the pattern describes? */
function causedBy(error: unknown, pattern: RegExp): boolean {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (pattern.test(`${at.message} ${codeOf(at)}`)) return true;
  }
  return false;
}

const codeOf = (error: Error): string =>
  'code' in error && typeof error.code === 'string' ? error.code : '';

const isBusy = (error: unknown): boolean =>
  causedBy(error, /SQLITE_BUSY|database is locked|cannot commit transaction/);

const isTaken = (error: unknown): boolean => causedBy(error, /UNIQUE constraint failed/);

const isRefusal = (error: unknown): error is FaultError =>
  error instanceof FaultError && error.fault.code !== 'internal';

/** How writers of one process keep out of each other's way. */
export type WriterOrder =
  /**
   * One connection to a file: they queue here, for after one busy BEGIN the connection is unusable until it is
   * reopened, and with it every transaction on it.
   */
  | 'in-process'
  /**
   * A server that gives each transaction a connection of its own: they queue there. Nothing here makes one request
   * wait for a promise that another one settles, which a Workers isolate does not survive.
   */
  | 'database';

export type StoreOptions = {
  /** Default `in-process`. */
  readonly writers?: WriterOrder;
  /** Waits between attempts at a busy database, in milliseconds. */
  readonly pause?: (ms: number) => Promise<void>;
};

/**
 * A store over an open database.
 *
 * @param now milliseconds since the epoch
 */
export function createStore(
  database: Database,
  now: () => number,
  {
    writers = 'in-process',
    pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  }: StoreOptions = {},
): Store {
  const serialised = writers === 'in-process' ? queue() : unordered;

  async function attempt<T>(work: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await work();
      } catch (error) {
        if (!isBusy(error)) throw error;
        if (writers === 'in-process') database.reconnect();
        if (tries >= busyRetries) throw new FaultError({ code: 'database-busy' }, { cause: error });
        // Half of it at random, so that those who met do not meet again.
        await pause(10 * 2 ** tries * (0.5 + Math.random() / 2));
      }
    }
  }

  let schemaFits = false;

  return {
    queries: database.writing,
    read: (work) => attempt(() => database.reading.transaction(work)),

    async change<T>(actor: string, work: (change: Change) => Promise<T>) {
      try {
        return {
          ok: true,
          value: await serialised(() => attempt(() => transact(database, actor, now(), work))),
        };
      } catch (error) {
        if (isRefusal(error)) return { ok: false, fault: error.fault };
        // Every name is looked up before it is written; this is for whoever wrote in between.
        if (isTaken(error)) return { ok: false, fault: { code: 'alias-in-use' } };
        throw error;
      }
    },

    record: (work) => serialised(() => attempt(() => database.writing.transaction(work))),

    async checkSchema() {
      if (schemaFits) return undefined;
      const found = await readSchema(database.writing);
      if (found === schemaNumber) {
        schemaFits = true;
        return undefined;
      }
      const detail = `the database has schema ${found ?? 'none'}, this program needs ${schemaNumber}`;
      return { code: 'schema-mismatch', detail };
    },
  };
}

type Turn = <T>(work: () => Promise<T>) => Promise<T>;

const unordered: Turn = (work) => work();

/** Runs one piece of work after another, in the order of asking. */
function queue(): Turn {
  let tail: Promise<unknown> = Promise.resolve();
  return (work) => {
    const run = tail.then(work, work);
    tail = run.catch(() => undefined);
    return run;
  };
}

async function readSchema(queries: Queries): Promise<number | undefined> {
  try {
    return (await queries.select().from(installation).where(eq(installation.id, 1)).get())?.schema;
  } catch (error) {
    if (causedBy(error, /no such (table|column)/)) return undefined;
    throw error;
  }
}

function transact<T>(
  database: Database,
  actor: string,
  now: number,
  work: (change: Change) => Promise<T>,
): Promise<Committed<T>> {
  return database.writing.transaction(async (queries) => {
    const at = new Date(now).toISOString();
    const counter = await queries
      .update(installation)
      .set({ changeSequence: sql`${installation.changeSequence} + 1` })
      .where(eq(installation.id, 1))
      .returning({ sequence: installation.changeSequence });
    const sequence = counter[0]?.sequence;
    if (sequence === undefined)
      throw new FaultError({ code: 'schema-mismatch', detail: 'the database is not initialised' });

    const entries: AuditEntry[] = [];
    const touched = new Set<string>();
    let everyZone = false;
    const value = await work({
      queries,
      sequence,
      at,
      audit: (action, target, detail = {}) => entries.push({ at, actor, action, target, detail }),
      touch(concerned) {
        if (concerned === 'all') everyZone = true;
        else for (const zone of concerned) touched.add(zone);
      },
    });
    if (everyZone)
      for (const zone of await queries.select({ id: zones.id }).from(zones).all()) touched.add(zone.id);
    for (const zone of touched) {
      await queries
        .insert(outbox)
        .values({ zone, sequence })
        .onConflictDoUpdate({ target: outbox.zone, set: { sequence } });
    }
    await appendAudit(queries, entries);
    return { value, changeSequence: sequence, touched: [...touched] };
  });
}
