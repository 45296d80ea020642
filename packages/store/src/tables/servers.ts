import type { Server, ServerProtocol } from '@sallyport/model';
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { zones } from './zones.ts';

/** `definition` holds the whole server as the model has it; the columns beside it are for keys and look-ups. */
export const servers = sqliteTable('servers', {
  id: text().primaryKey(),
  name: text().notNull().unique(),
  zone: text()
    .notNull()
    .references(() => zones.id),
  protocol: text().$type<ServerProtocol>().notNull(),
  definition: text({ mode: 'json' }).$type<Server>().notNull(),
  version: integer().notNull(),
});
