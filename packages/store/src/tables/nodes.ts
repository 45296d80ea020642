import type { ItemReport, ListenerOverride, Node, ServingState } from '@sallyport/model';
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { zones } from './zones.ts';

export const nodes = sqliteTable('nodes', {
  id: text().primaryKey(),
  name: text().notNull().unique(),
  zone: text()
    .notNull()
    .references(() => zones.id),
  state: text().$type<Node['state']>().notNull(),
  signingKey: text('signing_key').notNull().unique(),
  sealingKey: text('sealing_key').notNull(),
  overrides: text({ mode: 'json' }).$type<ListenerOverride[]>().notNull(),
  lastSeenAt: text('last_seen_at'),
  appliedVersion: integer('applied_version'),
  serving: text().$type<ServingState>(),
  items: text({ mode: 'json' }).$type<ItemReport[]>().notNull(),
  /** Highest sequence of the node's reports: a replay does not pass it. */
  statusSequence: integer('status_sequence').notNull(),
  eventSequence: integer('event_sequence').notNull(),
  version: integer().notNull(),
  createdAt: text('created_at').notNull(),
});
