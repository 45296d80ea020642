import type { Account, PathPermission } from '@sallyport/model';
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';

export const accounts = sqliteTable('accounts', {
  id: text().primaryKey(),
  name: text().notNull(),
  /** The name in NFC and lower case: two accounts never differ in case alone, whatever a zone's case rule is. */
  nameKey: text('name_key').notNull().unique(),
  zones: text({ mode: 'json' }).$type<string[]>().notNull(),
  groups: text({ mode: 'json' }).$type<string[]>().notNull(),
  home: text().notNull(),
  enabled: integer({ mode: 'boolean' }).notNull(),
  locked: integer({ mode: 'boolean' }).notNull(),
  /** Argon2id in PHC form. */
  passwordHash: text('password_hash'),
  permissions: text({ mode: 'json' }).$type<PathPermission[]>().notNull(),
  limits: text({ mode: 'json' }).$type<Account['limits']>().notNull(),
  uploadMode: text('upload_mode').$type<Account['uploadMode']>().notNull(),
  contact: text(),
  version: integer().notNull(),
  createdAt: text('created_at').notNull(),
});
