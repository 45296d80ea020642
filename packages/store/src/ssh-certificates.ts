import { and, asc, eq, gt, isNotNull, isNull } from 'drizzle-orm';
import type { Queries } from './database.ts';
import type { Page } from './page.ts';
import { sshCertificates } from './tables/index.ts';

/** An OpenSSH certificate that was signed here. */
export type SshCertificateRow = typeof sshCertificates.$inferSelect;

/** @param ca only those of that CA */
export const listSshCertificates = (
  queries: Queries,
  page: Pick<Page, 'after' | 'limit'>,
  ca: string | undefined,
): Promise<SshCertificateRow[]> =>
  queries
    .select()
    .from(sshCertificates)
    .where(and(gt(sshCertificates.id, page.after), ca === undefined ? undefined : eq(sshCertificates.ca, ca)))
    .orderBy(asc(sshCertificates.id))
    .limit(page.limit)
    .all();

export const findSshCertificate = (queries: Queries, id: string): Promise<SshCertificateRow | undefined> =>
  queries.select().from(sshCertificates).where(eq(sshCertificates.id, id)).get();

/**
 * Revoked ones that would be accepted still.
 *
 * @param at RFC 3339 with milliseconds, as the rows have it
 */
export const revokedSshCertificates = (
  queries: Queries,
  at: string,
): Promise<Pick<SshCertificateRow, 'caFingerprint' | 'serial'>[]> =>
  queries
    .select({ caFingerprint: sshCertificates.caFingerprint, serial: sshCertificates.serial })
    .from(sshCertificates)
    .where(and(isNotNull(sshCertificates.revokedAt), gt(sshCertificates.validBefore, at)))
    .orderBy(asc(sshCertificates.id))
    .all();

/** User certificates of a CA that are valid beyond a moment. */
export const liveSshLoginsOf = (
  queries: Queries,
  ca: string,
  at: string,
): Promise<Pick<SshCertificateRow, 'keyId'>[]> =>
  queries
    .select({ keyId: sshCertificates.keyId })
    .from(sshCertificates)
    .where(
      and(
        eq(sshCertificates.ca, ca),
        eq(sshCertificates.type, 'user'),
        isNull(sshCertificates.revokedAt),
        gt(sshCertificates.validBefore, at),
      ),
    )
    .orderBy(asc(sshCertificates.keyId))
    .all();

export async function insertSshCertificate(queries: Queries, row: SshCertificateRow): Promise<void> {
  await queries.insert(sshCertificates).values(row);
}

/** Revoking twice keeps the first time. */
export async function revokeSshCertificate(queries: Queries, id: string, at: string): Promise<void> {
  await queries
    .update(sshCertificates)
    .set({ revokedAt: at })
    .where(and(eq(sshCertificates.id, id), isNull(sshCertificates.revokedAt)));
}
