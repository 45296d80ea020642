import type { Event } from '@sallyport/model';
import { integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';

/** Logins and transfers as the nodes reported them; delivered at least once, stored once. */
export const events = sqliteTable(
  'events',
  {
    position: integer().primaryKey({ autoIncrement: true }),
    node: text().notNull(),
    zone: text().notNull(),
    eventId: text('event_id').notNull(),
    at: text().notNull(),
    body: text({ mode: 'json' }).$type<Event>().notNull(),
  },
  (table) => [uniqueIndex('events_node_event').on(table.node, table.eventId)],
);
