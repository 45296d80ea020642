import type { RevocationReason } from '@sallyport/model';
import { index, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/**
 * What was revoked, by certificate and by key. Rows outlive their certificate: deleting one never brings a key back.
 * Both digests are the key's where no certificate of it is known, and both the certificate's where its key is not.
 */
export const revocations = sqliteTable(
  'revocations',
  {
    sha256: text().primaryKey(),
    spkiSha256: text('spki_sha256').notNull(),
    at: text().notNull(),
    /** SHA-256 of the DER issuer name, and the serial number: what a revocation list names it by. */
    issuerHash: text('issuer_hash'),
    serial: text(),
    reason: text().$type<RevocationReason>(),
    /** Where it holds: the zones that whoever revoked it speaks for; null: everywhere. */
    zones: text({ mode: 'json' }).$type<string[]>(),
  },
  (table) => [
    index('revocations_spki').on(table.spkiSha256),
    index('revocations_issuer').on(table.issuerHash),
  ],
);
