import type { CertificateKind } from '@sallyport/model';
import { and, asc, eq, gt, inArray, or, type SQL } from 'drizzle-orm';
import { accountsInReach } from './accounts.ts';
import type { Queries } from './database.ts';
import { type Page, someZoneInReach } from './page.ts';
import { certificateRequests } from './tables/index.ts';

/** A pending request as it is stored, its private key under the key-encryption key. */
export type CertificateRequestRow = typeof certificateRequests.$inferSelect;

/** Requests of zones, and of accounts in zones, that the reader may see. */
export const listCertificateRequests = (queries: Queries, page: Page): Promise<CertificateRequestRow[]> =>
  queries
    .select()
    .from(certificateRequests)
    .where(and(gt(certificateRequests.id, page.after), inReach(queries, page)))
    .orderBy(asc(certificateRequests.id))
    .limit(page.limit)
    .all();

function inReach(queries: Queries, { reach }: Page): SQL | undefined {
  if (reach === '*') return undefined;
  const known = accountsInReach(queries, reach);
  return or(someZoneInReach(certificateRequests.zones, reach), inArray(certificateRequests.account, known));
}

export const findCertificateRequest = (
  queries: Queries,
  id: string,
): Promise<CertificateRequestRow | undefined> =>
  queries.select().from(certificateRequests).where(eq(certificateRequests.id, id)).get();

export const findCertificateRequestAlias = (
  queries: Queries,
  kind: CertificateKind,
  alias: string,
): Promise<CertificateRequestRow | undefined> =>
  queries
    .select()
    .from(certificateRequests)
    .where(and(eq(certificateRequests.kind, kind), eq(certificateRequests.alias, alias)))
    .get();

/** Requests that wait to take a certificate's place. */
export const requestsReplacing = (queries: Queries, certificate: string): Promise<CertificateRequestRow[]> =>
  queries.select().from(certificateRequests).where(eq(certificateRequests.replaces, certificate)).all();

export async function insertCertificateRequest(queries: Queries, row: CertificateRequestRow): Promise<void> {
  await queries.insert(certificateRequests).values(row);
}

/** @returns whether the row still had that version */
export async function deleteCertificateRequest(
  queries: Queries,
  id: string,
  expectedVersion: number,
): Promise<boolean> {
  const result = await queries
    .delete(certificateRequests)
    .where(and(eq(certificateRequests.id, id), eq(certificateRequests.version, expectedVersion)));
  return result.rowsAffected === 1;
}

/** @returns how many there were */
export async function deleteCertificateRequestsOf(queries: Queries, account: string): Promise<number> {
  const result = await queries.delete(certificateRequests).where(eq(certificateRequests.account, account));
  return result.rowsAffected;
}
