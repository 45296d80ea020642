import type {
  CertificateForm,
  CertificateKind,
  CertificateMatch,
  CredentialAnchor,
  PublicKeyFacts,
  SubjectAltName,
} from '@sallyport/model';
import { integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { accounts } from './accounts.ts';

export const certificates = sqliteTable(
  'certificates',
  {
    id: text().primaryKey(),
    alias: text().notNull(),
    kind: text().$type<CertificateKind>().notNull(),
    form: text().$type<CertificateForm>().notNull(),
    zones: text({ mode: 'json' }).$type<string[]>().notNull(),
    account: text().references(() => accounts.id),
    match: text().$type<CertificateMatch>(),
    anchor: text().$type<CredentialAnchor>(),
    /** DER of the certificate and its intermediates in base64, leaf first. */
    chain: text({ mode: 'json' }).$type<string[]>().notNull(),
    subject: text().notNull(),
    issuer: text().notNull(),
    serial: text().notNull(),
    sans: text({ mode: 'json' }).$type<SubjectAltName[]>().notNull(),
    notBefore: text('not_before').notNull(),
    notAfter: text('not_after').notNull(),
    validUntil: text('valid_until'),
    key: text({ mode: 'json' }).$type<PublicKeyFacts>().notNull(),
    spkiSha256: text('spki_sha256').notNull(),
    sha256: text().notNull(),
    /** PKCS#8 under the key-encryption key. */
    privateKey: text('private_key'),
    comment: text(),
    revokedAt: text('revoked_at'),
    version: integer().notNull(),
    createdAt: text('created_at').notNull(),
  },
  (table) => [
    uniqueIndex('certificates_kind_alias').on(table.kind, table.alias),
    uniqueIndex('certificates_kind_sha256_account').on(table.kind, table.sha256, table.account),
  ],
);
