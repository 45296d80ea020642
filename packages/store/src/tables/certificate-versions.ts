import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { certificates } from './certificates.ts';

/**
 * What a certificate was before it was replaced: kept, with its private key, until it is deleted or rolled back to.
 * The certificate keeps its id, so whatever uses it follows.
 */
export const certificateVersions = sqliteTable(
  'certificate_versions',
  {
    certificate: text()
      .notNull()
      .references(() => certificates.id),
    /** `version` of the certificate while it was this. */
    number: integer().notNull(),
    replacedAt: text('replaced_at').notNull(),
    /** The replaced row; its private key is under the key-encryption key as it was. */
    row: text({ mode: 'json' }).$type<typeof certificates.$inferSelect>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.certificate, table.number] })],
);
