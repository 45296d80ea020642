import type { CertificateKind } from '@sallyport/model';
import { and, asc, eq, gt, inArray, type SQL } from 'drizzle-orm';
import type { Queries } from './database.ts';
import type { Page } from './page.ts';
import { certificates } from './tables/index.ts';

/** A certificate as it is stored; status and uses are computed by whoever answers it. */
export type CertificateRow = typeof certificates.$inferSelect;

/** Which certificates a list holds; a filter left out is not applied. */
export type CertificateFilter = {
  readonly kind?: CertificateKind | undefined;
  readonly account?: string | undefined;
  readonly alias?: string | undefined;
};

export function listCertificates(
  queries: Queries,
  page: Page,
  filter: CertificateFilter = {},
): Promise<CertificateRow[]> {
  const conditions: SQL[] = [gt(certificates.id, page.after)];
  if (filter.kind !== undefined) conditions.push(eq(certificates.kind, filter.kind));
  if (filter.account !== undefined) conditions.push(eq(certificates.account, filter.account));
  if (filter.alias !== undefined) conditions.push(eq(certificates.alias, filter.alias));
  return queries
    .select()
    .from(certificates)
    .where(and(...conditions))
    .orderBy(asc(certificates.id))
    .limit(page.limit)
    .all();
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

export const findCertificate = (queries: Queries, id: string): Promise<CertificateRow | undefined> =>
  queries.select().from(certificates).where(eq(certificates.id, id)).get();

export const certificatesWithKey = (queries: Queries, spkiSha256: string): Promise<CertificateRow[]> =>
  queries.select().from(certificates).where(eq(certificates.spkiSha256, spkiSha256)).all();

export const findCertificateAlias = (
  queries: Queries,
  kind: CertificateKind,
  alias: string,
): Promise<CertificateRow | undefined> =>
  queries
    .select()
    .from(certificates)
    .where(and(eq(certificates.kind, kind), eq(certificates.alias, alias)))
    .get();

export async function insertCertificate(queries: Queries, row: CertificateRow): Promise<void> {
  await queries.insert(certificates).values(row);
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

/** @returns whether the row still had that version */
export async function deleteCertificate(
  queries: Queries,
  id: string,
  expectedVersion: number,
): Promise<boolean> {
  const result = await queries
    .delete(certificates)
    .where(and(eq(certificates.id, id), eq(certificates.version, expectedVersion)));
  return result.rowsAffected === 1;
}
