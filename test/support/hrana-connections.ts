import Database from 'libsql';

/** A connection to the database file. */
export type Connection = {
  readonly db: Database.Database;
  /** Rows changed since it was opened, rows changed by the last statement, and the last row id. */
  readonly totals: () => { readonly total: bigint; readonly changed: bigint; readonly rowid: bigint };
};

/** Connections for streams: to open one, and to read the schema with its first statement, costs more than most streams. */
export type ConnectionPool = {
  /** One that no other stream has, with no transaction open. */
  readonly take: () => Connection;
  /** Keeps it for the next stream; closes it where enough are kept. No transaction may be open on it. */
  readonly giveBack: (connection: Connection) => void;
  /** Closes those that are kept, and from now on all that come back. */
  readonly close: () => void;
};

const maxKept = 16;

/**
 * @param file path of the database file
 * @param waitMs how long SQLite waits for a lock that another process holds
 */
export function connectionPool(file: string, waitMs: number): ConnectionPool {
  const kept: Connection[] = [];
  let open = true;
  return {
    take: () => kept.pop() ?? connect(file, waitMs),
    giveBack(connection) {
      if (open && kept.length < maxKept) kept.push(connection);
      else connection.db.close();
    },
    close() {
      open = false;
      for (const { db } of kept.splice(0)) db.close();
    },
  };
}

function connect(file: string, waitMs: number): Connection {
  const db = new Database(file, { timeout: waitMs });
  const counts = db
    .prepare('SELECT total_changes(), changes(), last_insert_rowid()')
    .raw(true)
    .safeIntegers(true);
  const totals = () => {
    const [total = 0n, changed = 0n, rowid = 0n] = counts.get() as bigint[];
    return { total, changed, rowid };
  };
  return { db, totals };
}
