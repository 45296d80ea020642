import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/** What a zone's nodes are to refuse or end, until a time. */
export const denyEntries = sqliteTable(
  'deny_entries',
  {
    zone: text().notNull(),
    /** What is denied, `session:<id>` or `lockout:<whom>`: denied twice it is one entry. */
    key: text().notNull(),
    /** An entry of the signed list, as JSON. */
    entry: text({ mode: 'json' }).$type<{ readonly type: string; readonly until: string }>().notNull(),
    until: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.zone, table.key] })],
);

/** The signed list of each zone that has had an entry. */
export const denyLists = sqliteTable('deny_lists', {
  zone: text().primaryKey(),
  /** Counts changes of the entries. */
  revision: integer().notNull(),
  /** Revision that the envelope was signed at; null before the first signing. */
  signedRevision: integer('signed_revision'),
  trustEpoch: integer('trust_epoch').notNull(),
  sequence: integer().notNull(),
  envelope: text(),
  /** Milliseconds since the epoch. */
  issuedAt: integer('issued_at').notNull(),
});
