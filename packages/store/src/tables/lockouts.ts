import type { LockoutCounter } from '@sallyport/model';
import { index, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';

/** Who is locked out of a zone, by what, and which node told of it. Each has an entry in the zone's deny list. */
export const lockouts = sqliteTable(
  'lockouts',
  {
    id: text().primaryKey(),
    zone: text().notNull(),
    /** Key of the entry in the deny list. */
    key: text().notNull(),
    counter: text().$type<LockoutCounter>().notNull(),
    /** Login name. */
    account: text(),
    source: text(),
    node: text().notNull(),
    /** When the node's report came in. */
    since: text().notNull(),
    until: text().notNull(),
  },
  (table) => [
    uniqueIndex('lockouts_zone_key').on(table.zone, table.key),
    index('lockouts_node').on(table.node, table.since),
  ],
);
