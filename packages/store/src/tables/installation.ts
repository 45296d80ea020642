import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/** Single row: which schema the database has, and the counter of committed changes. */
export const installation = sqliteTable('installation', {
  id: integer().primaryKey(),
  schema: integer().notNull(),
  changeSequence: integer('change_sequence').notNull(),
  createdAt: text('created_at').notNull(),
  /** Wrapping issuer for SSH keys (design section 3): DER in base64, and its key under the key-encryption key. */
  wrappingIssuer: text('wrapping_issuer'),
  wrappingIssuerKey: text('wrapping_issuer_key'),
});
