import type { Statement } from 'libsql';
import type { ConnectionPool } from './hrana-connections.ts';
import {
  errorOf,
  fromHrana,
  type HranaBatch,
  type HranaCondition,
  type HranaError,
  HranaFailure,
  type HranaResult,
  type HranaStatement,
  type SqlValue,
  toHrana,
} from './hrana-values.ts';
import type { WriteLock } from './write-lock.ts';

/** One request of a pipeline; other types are refused. */
export type StreamRequest =
  | { readonly type: 'execute'; readonly stmt: HranaStatement }
  | { readonly type: 'batch'; readonly batch: HranaBatch }
  | { readonly type: 'sequence'; readonly sql?: string | null; readonly sql_id?: number | null }
  | { readonly type: 'store_sql'; readonly sql_id: number; readonly sql: string }
  | { readonly type: 'close_sql'; readonly sql_id: number }
  | { readonly type: 'get_autocommit' }
  | { readonly type: 'close' };

export type StreamAnswer =
  | { readonly type: 'ok'; readonly response: object }
  | { readonly type: 'error'; readonly error: HranaError };

/** One stream: a database connection with its transaction and stored texts. */
export type HranaStream = {
  /** Answers one request; a refusal is an answer. Requests of a stream must not overlap. */
  readonly answer: (request: StreamRequest) => Promise<StreamAnswer>;
  readonly closed: () => boolean;
  /** Rolls back what is open and gives the connection and the lock back. */
  readonly close: () => void;
};

/** Text that can neither change the database nor begin a transaction that could. All else takes the write lock. */
const harmless =
  /^(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*(?:select|explain|commit|end|rollback|begin\s+(?:transaction\s+)?readonly)\b/i;

/**
 * Opens a stream.
 *
 * @param connections where its connection comes from and goes back to
 * @param lock taken before the first statement that may write, and held until the transaction has ended: calls into
 *   the database block the process, so a writer that waited inside SQLite would keep out the one it waits for
 * @param waitMs how long a writer waits for another before SQLITE_BUSY
 */
export function openStream(connections: ConnectionPool, lock: WriteLock, waitMs: number): HranaStream {
  const connection = connections.take();
  const { db, totals } = connection;
  const texts = new Map<number, string>();
  let release: (() => void) | undefined;
  let open = true;

  // The native library ends the process when it is asked about a closed connection.
  const inTransaction = () => open && db.inTransaction;
  const requireOpen = () => {
    if (!open) throw new HranaFailure('STREAM_CLOSED', 'the stream is closed');
  };

  const settle = () => {
    if (inTransaction()) return;
    release?.();
    release = undefined;
  };
  const close = () => {
    if (!open) return;
    open = false;
    if (db.inTransaction) db.exec('ROLLBACK');
    connections.giveBack(connection);
    release?.();
  };

  const textOf = ({ sql, sql_id }: Pick<HranaStatement, 'sql' | 'sql_id'>) => {
    const text = sql ?? (typeof sql_id === 'number' ? texts.get(sql_id) : undefined);
    if (typeof text !== 'string')
      throw new HranaFailure('SQL_NOT_FOUND', 'neither an SQL text nor a stored one');
    return text;
  };
  const takeLock = async () => {
    if (release) return;
    release = await lock.acquire(waitMs);
    if (!release) throw new HranaFailure('SQLITE_BUSY', 'SQLite error: database is locked');
    if (!open) release();
    if (!open) throw new HranaFailure('STREAM_EXPIRED', 'the stream was closed while it waited');
  };

  const execute = async (wanted: HranaStatement): Promise<HranaResult> => {
    const text = textOf(wanted);
    if (!harmless.test(text)) await takeLock();
    requireOpen();
    try {
      const statement = db.prepare(text).safeIntegers(true);
      const before = totals();
      const rows = rowsOf(statement, parametersOf(wanted));
      const after = totals();
      return {
        cols: statement.columns().map(({ name, type }) => ({ name, decltype: type })),
        rows: wanted.want_rows === false ? [] : rows.map((row) => row.map(toHrana)),
        affected_row_count: after.total === before.total ? 0 : Number(after.changed),
        last_insert_rowid: after.rowid.toString(),
      };
    } finally {
      settle();
    }
  };

  const batch = async ({ steps }: HranaBatch) => {
    const results: (HranaResult | null)[] = [];
    const errors: (HranaError | null)[] = [];
    for (const { stmt, condition } of steps) {
      let result: HranaResult | null = null;
      let error: HranaError | null = null;
      try {
        if (!condition || holds(condition, results, errors, inTransaction())) result = await execute(stmt);
      } catch (thrown) {
        error = errorOf(thrown);
      }
      results.push(result);
      errors.push(error);
    }
    return { step_results: results, step_errors: errors };
  };

  const respond = async (request: StreamRequest): Promise<object> => {
    requireOpen();
    switch (request.type) {
      case 'execute':
        return { type: 'execute', result: await execute(request.stmt) };
      case 'batch':
        return { type: 'batch', result: await batch(request.batch) };
      case 'sequence': {
        const text = textOf(request);
        await takeLock();
        try {
          db.exec(text);
        } finally {
          settle();
        }
        return { type: 'sequence' };
      }
      case 'store_sql':
        texts.set(request.sql_id, request.sql);
        return { type: 'store_sql' };
      case 'close_sql':
        texts.delete(request.sql_id);
        return { type: 'close_sql' };
      case 'get_autocommit':
        return { type: 'get_autocommit', is_autocommit: !inTransaction() };
      case 'close':
        close();
        return { type: 'close' };
      default:
        throw new HranaFailure('HRANA_PROTO_ERROR', 'this request is not supported');
    }
  };

  return {
    answer: async (request) => {
      try {
        return { type: 'ok', response: await respond(request) };
      } catch (thrown) {
        return { type: 'error', error: errorOf(thrown) };
      }
    },
    closed: () => !open,
    close,
  };
}

function rowsOf(statement: Statement, parameters: SqlValue[] | Record<string, SqlValue>): SqlValue[][] {
  if (statement.reader) return statement.raw(true).all(parameters) as SqlValue[][];
  statement.run(parameters);
  return [];
}

function parametersOf({ args = [], named_args = [] }: HranaStatement) {
  if (named_args.length === 0) return args.map(fromHrana);
  return Object.fromEntries(
    named_args.map(({ name, value }) => [name.replace(/^[:@$]/, ''), fromHrana(value)]),
  );
}

function holds(
  condition: HranaCondition,
  results: readonly (HranaResult | null)[],
  errors: readonly (HranaError | null)[],
  inTransaction: boolean,
): boolean {
  const again = (inner: HranaCondition) => holds(inner, results, errors, inTransaction);
  switch (condition.type) {
    case 'ok':
      return Boolean(results[condition.step]);
    case 'error':
      return Boolean(errors[condition.step]);
    case 'not':
      return !again(condition.cond);
    case 'and':
      return condition.conds.every(again);
    case 'or':
      return condition.conds.some(again);
    case 'is_autocommit':
      return !inTransaction;
    default:
      throw new HranaFailure('HRANA_PROTO_ERROR', 'unknown condition');
  }
}
