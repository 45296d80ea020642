import type { PublicKeyFacts } from '@sallyport/model';
import { index, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { certificates } from './certificates.ts';

/** OpenSSH certificates that an internal CA signed; the certificate itself went to who asked for it. */
export const sshCertificates = sqliteTable(
  'ssh_certificates',
  {
    id: text().primaryKey(),
    ca: text()
      .notNull()
      .references(() => certificates.id),
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
  (table) => [index('ssh_certificates_ca').on(table.ca, table.serial)],
);
