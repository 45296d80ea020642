import type { CertificateKind, PublicKeyFacts, SubjectAltName } from '@sallyport/model';
import { integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { accounts } from './accounts.ts';
import { certificates } from './certificates.ts';

/** Keys that wait for a certificate from somebody else (PKCS#10); the key stays here. */
export const certificateRequests = sqliteTable(
  'certificate_requests',
  {
    id: text().primaryKey(),
    alias: text().notNull(),
    kind: text().$type<CertificateKind>().notNull(),
    zones: text({ mode: 'json' }).$type<string[]>().notNull(),
    account: text().references(() => accounts.id),
    /** Certificate that the finished one replaces, behind its alias. */
    replaces: text().references(() => certificates.id),
    subject: text().notNull(),
    sans: text({ mode: 'json' }).$type<SubjectAltName[]>().notNull(),
    key: text({ mode: 'json' }).$type<PublicKeyFacts>().notNull(),
    /** DER of the request in base64. */
    request: text().notNull(),
    /** PKCS#8 under the key-encryption key. */
    privateKey: text('private_key').notNull(),
    version: integer().notNull(),
    createdAt: text('created_at').notNull(),
  },
  (table) => [uniqueIndex('certificate_requests_kind_alias').on(table.kind, table.alias)],
);
