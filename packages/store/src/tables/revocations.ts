import { index, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/** What was revoked, by certificate and by key. Rows outlive their certificate: deleting one never brings a key back. */
export const revocations = sqliteTable(
  'revocations',
  {
    sha256: text().primaryKey(),
    spkiSha256: text('spki_sha256').notNull(),
    at: text().notNull(),
  },
  (table) => [index('revocations_spki').on(table.spkiSha256)],
);
