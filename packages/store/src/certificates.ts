import type { CertificateKind } from '@sallyport/model';
import { and, asc, eq, inArray, isNull } from 'drizzle-orm';
import { accountsInReach } from './accounts.ts';
import { inPieces } from './chunks.ts';
import type { Queries } from './database.ts';
import {
  certificates,
  certificateVersions,
  crlChunks,
  crlFetches,
  crls,
  ocspResponses,
} from './tables/index.ts';

/** A certificate as it is stored; status and uses are computed by whoever answers it. */
export type CertificateRow = typeof certificates.$inferSelect;

/** Ids of the login certificates of some accounts, by account. */
export async function loginCertificatesOf(
  queries: Queries,
  accountIds: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await queries
    .select({ id: certificates.id, account: certificates.account })
    .from(certificates)
    .where(and(eq(certificates.kind, 'login'), inArray(certificates.account, [...accountIds])))
    .orderBy(asc(certificates.id))
    .all();
  const ids = new Map<string, string[]>();
  for (const { id, account } of rows) {
    if (account !== null) ids.set(account, [...(ids.get(account) ?? []), id]);
  }
  return ids;
}

/** Login certificates of the accounts of a zone, but revoked ones. */
export function loginCertificatesIn(queries: Queries, zone: string): Promise<CertificateRow[]> {
  const own = accountsInReach(queries, [zone]);
  return queries
    .select()
    .from(certificates)
    .where(
      and(inArray(certificates.account, own), eq(certificates.kind, 'login'), isNull(certificates.revokedAt)),
    )
    .orderBy(asc(certificates.id))
    .all();
}

/** The first login certificates that are trusted through a CA of that name and not pinned. */
export const loginsIssuedBy = (
  queries: Queries,
  issuer: string,
  limit: number,
): Promise<{ alias: string }[]> =>
  queries
    .select({ alias: certificates.alias })
    .from(certificates)
    .where(
      and(
        eq(certificates.kind, 'login'),
        eq(certificates.form, 'x509'),
        eq(certificates.anchor, 'path'),
        eq(certificates.issuer, issuer),
      ),
    )
    .orderBy(asc(certificates.alias))
    .limit(limit)
    .all();

/**
 * Deletes all that an account has, with what it was before it was replaced.
 *
 * @returns how many there were
 */
export async function deleteCertificatesOf(queries: Queries, account: string): Promise<number> {
  const own = queries
    .select({ id: certificates.id })
    .from(certificates)
    .where(eq(certificates.account, account));
  await queries.delete(certificateVersions).where(inArray(certificateVersions.certificate, own));
  const result = await queries.delete(certificates).where(eq(certificates.account, account));
  return result.rowsAffected;
}

export const certificatesOfKinds = (
  queries: Queries,
  kinds: readonly CertificateKind[],
): Promise<CertificateRow[]> =>
  queries
    .select()
    .from(certificates)
    .where(inArray(certificates.kind, [...kinds]))
    .orderBy(asc(certificates.id))
    .all();

/** What trust is judged by, of all CAs and without the certificates themselves. */
export const certificateAuthorities = (
  queries: Queries,
): Promise<
  Pick<
    CertificateRow,
    'id' | 'kind' | 'usage' | 'revokedAt' | 'caState' | 'trustedUntil' | 'subjectHash' | 'subjectKeyId'
  >[]
> =>
  queries
    .select({
      id: certificates.id,
      kind: certificates.kind,
      usage: certificates.usage,
      revokedAt: certificates.revokedAt,
      caState: certificates.caState,
      trustedUntil: certificates.trustedUntil,
      subjectHash: certificates.subjectHash,
      subjectKeyId: certificates.subjectKeyId,
    })
    .from(certificates)
    .where(inArray(certificates.kind, ['trusted', 'internal-ca']))
    .all();

/** Rows of a schema that did not have the columns to search by yet. */
export const certificatesWithoutFacts = (queries: Queries): Promise<CertificateRow[]> =>
  queries.select().from(certificates).where(eq(certificates.topIssuer, '')).all();

export const findCertificate = (queries: Queries, id: string): Promise<CertificateRow | undefined> =>
  queries.select().from(certificates).where(eq(certificates.id, id)).get();

export const findCertificates = (queries: Queries, ids: readonly string[]): Promise<CertificateRow[]> =>
  inPieces(ids, (piece) => queries.select().from(certificates).where(inArray(certificates.id, piece)).all());

export const certificatesWithKey = (queries: Queries, spkiSha256: string): Promise<CertificateRow[]> =>
  certificatesWithKeys(queries, [spkiSha256]);

/** Rows whose key is one of those, by the SHA-256 of its SubjectPublicKeyInfo. */
export const certificatesWithKeys = (queries: Queries, keys: readonly string[]): Promise<CertificateRow[]> =>
  inPieces(keys, (piece) =>
    queries.select().from(certificates).where(inArray(certificates.spkiSha256, piece)).all(),
  );

/** Certificates that have one of those names, by the SHA-256 of its DER. */
export const certificatesWithSubjects = (
  queries: Queries,
  subjectHashes: readonly string[],
): Promise<CertificateRow[]> =>
  inPieces(subjectHashes, (piece) =>
    queries.select().from(certificates).where(inArray(certificates.subjectHash, piece)).all(),
  );

/** Who has one of those aliases, in whatever kind. */
export const certificatesWithAliases = (
  queries: Queries,
  aliases: readonly string[],
): Promise<Pick<CertificateRow, 'id' | 'kind' | 'account' | 'alias'>[]> =>
  inPieces(aliases, (piece) =>
    queries
      .select({
        id: certificates.id,
        kind: certificates.kind,
        account: certificates.account,
        alias: certificates.alias,
      })
      .from(certificates)
      .where(inArray(certificates.alias, piece))
      .all(),
  );

/** Rows of one and the same certificate: several accounts may have it. */
export const certificatesWithSha256 = (queries: Queries, sha256: string): Promise<CertificateRow[]> =>
  queries.select().from(certificates).where(eq(certificates.sha256, sha256)).all();

/** @param fingerprint OpenSSH's, `SHA256:…` */
export const certificatesWithSshFingerprint = (
  queries: Queries,
  fingerprint: string,
): Promise<CertificateRow[]> =>
  queries.select().from(certificates).where(eq(certificates.sshFingerprint, fingerprint)).all();

export async function insertCertificate(queries: Queries, row: CertificateRow): Promise<void> {
  await queries.insert(certificates).values(row);
}

/** Many rows in few statements. */
export async function insertCertificates(queries: Queries, rows: readonly CertificateRow[]): Promise<void> {
  const perStatement = 100;
  for (let at = 0; at < rows.length; at += perStatement) {
    await queries.insert(certificates).values(rows.slice(at, at + perStatement));
  }
}

/** @returns whether the row still had that version */
export async function updateCertificate(
  queries: Queries,
  row: CertificateRow,
  expectedVersion: number,
): Promise<boolean> {
  const result = await queries
    .update(certificates)
    .set(row)
    .where(and(eq(certificates.id, row.id), eq(certificates.version, expectedVersion)));
  return result.rowsAffected === 1;
}

/**
 * Deletes a certificate with the revocation list and the OCSP response that are held for it.
 *
 * @returns whether the row still had that version
 */
export async function deleteCertificate(
  queries: Queries,
  id: string,
  expectedVersion: number,
): Promise<boolean> {
  for (const table of [crlChunks, crlFetches, crls]) await queries.delete(table).where(eq(table.ca, id));
  await queries.delete(ocspResponses).where(eq(ocspResponses.certificate, id));
  const result = await queries
    .delete(certificates)
    .where(and(eq(certificates.id, id), eq(certificates.version, expectedVersion)));
  return result.rowsAffected === 1;
}
