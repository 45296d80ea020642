import { and, desc, eq } from 'drizzle-orm';
import type { Queries } from './database.ts';
import { certificateVersions } from './tables/index.ts';

export type CertificateVersionRow = typeof certificateVersions.$inferSelect;

/** What a certificate was before, the newest first. */
export const certificateVersionsOf = (
  queries: Queries,
  certificate: string,
): Promise<CertificateVersionRow[]> =>
  queries
    .select()
    .from(certificateVersions)
    .where(eq(certificateVersions.certificate, certificate))
    .orderBy(desc(certificateVersions.number))
    .all();

export const findCertificateVersion = (
  queries: Queries,
  certificate: string,
  number: number,
): Promise<CertificateVersionRow | undefined> =>
  queries
    .select()
    .from(certificateVersions)
    .where(and(eq(certificateVersions.certificate, certificate), eq(certificateVersions.number, number)))
    .get();

export async function insertCertificateVersion(queries: Queries, row: CertificateVersionRow): Promise<void> {
  await queries.insert(certificateVersions).values(row);
}

/** @returns whether there was one */
export async function deleteCertificateVersion(
  queries: Queries,
  certificate: string,
  number: number,
): Promise<boolean> {
  const result = await queries
    .delete(certificateVersions)
    .where(and(eq(certificateVersions.certificate, certificate), eq(certificateVersions.number, number)));
  return result.rowsAffected === 1;
}
