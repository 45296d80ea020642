import type { Client, ResultSet } from '@libsql/client';
import type { LibSQLDatabase } from 'drizzle-orm/libsql/driver-core';
import type { BaseSQLiteDatabase } from 'drizzle-orm/sqlite-core';

/** What repositories run on: the database itself or an open transaction. */
export type Queries = BaseSQLiteDatabase<'async', ResultSet, Record<string, never>>;

/** A libSQL database as the platform opened it: a file on Node, HTTP on Workers and Deno. */
export type Database = {
  /** Its transactions take the write lock at once. */
  readonly writing: LibSQLDatabase;
  /** The same database over `readingClient`: its transactions are snapshots for reading. */
  readonly reading: LibSQLDatabase;
  /** Drops and reopens the connection: a busy BEGIN leaves it unusable. */
  readonly reconnect: () => void;
};

/** The client with read transactions in place of write ones, for drizzle, which always asks for the default. */
export const readingClient = (client: Client): Client =>
  new Proxy(client, {
    get(target, property) {
      if (property === 'transaction') return () => target.transaction('read');
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });

/** Builds a Database with the platform's own drizzle driver (`drizzle-orm/libsql/node` or `/web`). */
export const databaseOver = (client: Client, drizzle: (client: Client) => LibSQLDatabase): Database => ({
  writing: drizzle(client),
  reading: drizzle(readingClient(client)),
  reconnect: () => client.reconnect(),
});
