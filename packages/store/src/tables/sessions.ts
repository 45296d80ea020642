import type { LiveSession } from '@sallyport/model';
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/** Live sessions, as nodes last told of them. */
export const sessions = sqliteTable(
  'sessions',
  {
    id: text().primaryKey(),
    node: text().notNull(),
    zone: text().notNull(),
    server: text().notNull(),
    protocol: text().$type<LiveSession['protocol']>().notNull(),
    account: text().notNull(),
    source: text().notNull(),
    since: text().notNull(),
    proofs: text({ mode: 'json' }).$type<string[]>().notNull(),
    credential: text(),
    certificate: text(),
    outdated: integer({ mode: 'boolean' }).notNull(),
  },
  (table) => [index('sessions_node').on(table.node)],
);
