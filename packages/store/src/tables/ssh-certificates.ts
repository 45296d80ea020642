import type { PublicKeyFacts } from '@sallyport/model';
import { index, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/** OpenSSH certificates that an internal CA signed; the certificate itself went to who asked for it. */
export const sshCertificates = sqliteTable(
  'ssh_certificates',
  {
    id: text().primaryKey(),
    /** Id of the CA. The row outlives it: what was revoked stays refused where the same key is trusted again. */
    ca: text().notNull(),
    /** OpenSSH fingerprint of the CA's key: with the serial what a certificate is known by. */
    caFingerprint: text('ca_fingerprint').notNull(),
    type: text().$type<'user' | 'host'>().notNull(),
    /** Decimal; unique by its 64 random bits. */
    serial: text().notNull(),
    keyId: text('key_id').notNull(),
    principals: text({ mode: 'json' }).$type<string[]>().notNull(),
    validAfter: text('valid_after').notNull(),
    validBefore: text('valid_before').notNull(),
    key: text({ mode: 'json' }).$type<PublicKeyFacts>().notNull(),
    revokedAt: text('revoked_at'),
    createdAt: text('created_at').notNull(),
  },
  (table) => [
    index('ssh_certificates_ca').on(table.ca, table.validBefore),
    index('ssh_certificates_revoked').on(table.revokedAt),
  ],
);
