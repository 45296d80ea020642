import { sqliteTable, text } from 'drizzle-orm/sqlite-core';

export const tokens = sqliteTable('tokens', {
  id: text().primaryKey(),
  label: text().notNull(),
  /** SHA-256 of the secret in hex. */
  hash: text().notNull().unique(),
  scopes: text({ mode: 'json' }).$type<string[]>().notNull(),
  zones: text({ mode: 'json' }).$type<'*' | string[]>().notNull(),
  expiresAt: text('expires_at').notNull(),
  createdAt: text('created_at').notNull(),
});
