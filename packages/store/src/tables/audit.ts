import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/** Append-only log of changes; each row's hash covers the one before it. */
export const audit = sqliteTable('audit', {
  sequence: integer().primaryKey(),
  at: text().notNull(),
  actor: text().notNull(),
  action: text().notNull(),
  target: text().notNull(),
  detail: text({ mode: 'json' }).$type<Record<string, unknown>>().notNull(),
  previousHash: text('previous_hash').notNull(),
  hash: text().notNull(),
});

/** Single row: the newest audit row. Moved by compare-and-swap. */
export const auditHead = sqliteTable('audit_head', {
  id: integer().primaryKey(),
  sequence: integer().notNull(),
  hash: text().notNull(),
});
