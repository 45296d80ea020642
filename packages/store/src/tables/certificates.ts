import type {
  CertificateForm,
  CertificateKind,
  CertificateMatch,
  CredentialAnchor,
  InternalCaState,
  KeyType,
  PublicKeyFacts,
  RevocationMode,
  StaleCrlBehaviour,
  SubjectAltName,
  TrustUsage,
} from '@sallyport/model';
import { type SQL, sql } from 'drizzle-orm';
import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { accounts } from './accounts.ts';

/** When a certificate stops being of use: an SSH key by its own end, a certificate earlier where its row says so. */
const endOf = (table: {
  readonly form: unknown;
  readonly validUntil: unknown;
  readonly notAfter: unknown;
}): SQL<string | null> =>
  sql`CASE WHEN ${table.form} = 'ssh-key' THEN ${table.validUntil} WHEN ${table.validUntil} < ${table.notAfter} THEN ${table.validUntil} ELSE ${table.notAfter} END`;

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
    /** The columns down to `subjectKeyId` that have a default say what `key` and `chain` hold, to search by. */
    keyType: text('key_type').$type<KeyType>().notNull().default('rsa'),
    sshFingerprint: text('ssh_fingerprint').notNull().default(''),
    spkiSha256: text('spki_sha256').notNull(),
    sha256: text().notNull(),
    /** PKCS#8 under the key-encryption key. */
    privateKey: text('private_key'),
    comment: text(),
    /** SHA-256 of the DER issuer name of the chain's last certificate, and that certificate's authority key id. */
    topIssuer: text('top_issuer').notNull().default(''),
    topKeyId: text('top_key_id'),
    /** SHA-256 of the DER subject name, and the subject key id: what certificates below a CA name it by. */
    subjectHash: text('subject_hash').notNull().default(''),
    subjectKeyId: text('subject_key_id'),
    /** Source patterns that an SSH key may log in from (`from=` of authorized_keys); none: anywhere. */
    sources: text({ mode: 'json' }).$type<string[]>(),
    /** What a trusted certificate vouches for. */
    usage: text().$type<TrustUsage>(),
    /** Where an internal CA stands in its roll-over, and until when it stays trusted after retirement. */
    caState: text('ca_state').$type<InternalCaState>(),
    trustedUntil: text('trusted_until'),
    /** How certificates below a CA are checked for revocation. */
    revocation: text().$type<RevocationMode>(),
    onStaleCrl: text('on_stale_crl').$type<StaleCrlBehaviour>(),
    crlUrl: text('crl_url'),
    /** Why this private key may stand in an edge and in an internal zone; absent: it may not. */
    sharedKeyWaiver: text('shared_key_waiver'),
    revokedAt: text('revoked_at'),
    version: integer().notNull(),
    createdAt: text('created_at').notNull(),
  },
  (table) => [
    // What an account stores has aliases of its own (reference F2).
    uniqueIndex('certificates_kind_alias')
      .on(table.kind, table.alias)
      .where(sql`kind NOT IN ('partner', 'private')`),
    uniqueIndex('certificates_account_alias')
      .on(table.kind, table.account, table.alias)
      .where(sql`kind IN ('partner', 'private')`),
    index('certificates_alias').on(table.alias),
    uniqueIndex('certificates_kind_sha256_account').on(table.kind, table.sha256, table.account),
    index('certificates_account').on(table.account),
    index('certificates_ends').on(endOf(table)),
    index('certificates_sha256').on(table.sha256),
    index('certificates_spki').on(table.spkiSha256),
    index('certificates_ssh_fingerprint').on(table.sshFingerprint),
    index('certificates_subject_hash').on(table.subjectHash),
    index('certificates_top_issuer').on(table.topIssuer),
    index('certificates_kind').on(table.kind, table.id),
    index('certificates_revoked').on(table.id).where(sql`revoked_at IS NOT NULL`),
    // Holds all that a list filters by, in the order of its pages, without the certificates themselves.
    index('certificates_listed').on(
      table.id,
      table.kind,
      table.account,
      table.form,
      table.keyType,
      table.revokedAt,
      table.notBefore,
      table.notAfter,
      table.validUntil,
      table.anchor,
      table.topIssuer,
      table.topKeyId,
      table.subject,
      table.zones,
    ),
  ],
);

export const certificateEnd = endOf(certificates);
