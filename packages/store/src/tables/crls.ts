import { blob, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { certificates } from './certificates.ts';

/** The newest good revocation list of each CA: one that others publish, or our own (RFC 5280 section 5). */
export const crls = sqliteTable('crls', {
  ca: text()
    .primaryKey()
    .references(() => certificates.id),
  source: text().$type<'uploaded' | 'fetched' | 'issued'>().notNull(),
  /** CRLNumber in decimal; it never goes back. */
  number: text().notNull(),
  thisUpdate: text('this_update').notNull(),
  nextUpdate: text('next_update'),
  entries: integer().notNull(),
  sha256: text().notNull(),
  storedAt: text('stored_at').notNull(),
  /** Behind all others: who reads those does not walk over these megabytes. */
  der: blob({ mode: 'buffer' }).$type<Uint8Array>().notNull(),
});

/** The serial numbers of a list in the compact form that snapshots carry, in pieces of bounded size. */
export const crlChunks = sqliteTable(
  'crl_chunks',
  {
    ca: text()
      .notNull()
      .references(() => certificates.id),
    number: integer().notNull(),
    /** Names the chunk to publications, which look at its bytes only when it is new to a zone. */
    sha256: text().notNull(),
    bytes: blob({ mode: 'buffer' }).$type<Uint8Array>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.ca, table.number] })],
);

/** How the last attempt to fetch a CA's list ended; a failure keeps the list that there is. */
export const crlFetches = sqliteTable('crl_fetches', {
  ca: text()
    .primaryKey()
    .references(() => certificates.id),
  triedAt: text('tried_at').notNull(),
  nextAt: text('next_at').notNull(),
  /** Fault code and what was wrong; absent: it went well. */
  failure: text(),
});
