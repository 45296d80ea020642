import type { CertificateKind } from '@sallyport/model';
import { and, asc, eq, gt, inArray, or, type SQL } from 'drizzle-orm';
import type { Queries } from './database.ts';
import { type Page, someZoneInReach } from './page.ts';
import { accounts, certificates } from './tables/index.ts';

/** A certificate as it is stored; status and uses are computed by whoever answers it. */
export type CertificateRow = typeof certificates.$inferSelect;

/** Which certificates a list holds; a filter left out is not applied. */
export type CertificateFilter = {
  readonly kind?: CertificateKind | undefined;
  readonly account?: string | undefined;
  readonly alias?: string | undefined;
};

/** Trust is everybody's business: CAs are in every reader's reach. */
export function listCertificates(
  queries: Queries,
  page: Page,
  filter: CertificateFilter = {},
): Promise<CertificateRow[]> {
  const conditions: (SQL | undefined)[] = [gt(certificates.id, page.after), inReach(queries, page)];
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

function inReach(queries: Queries, { reach }: Page): SQL | undefined {
  if (reach === '*') return undefined;
  const known = queries
    .select({ id: accounts.id })
    .from(accounts)
    .where(someZoneInReach(accounts.zones, reach));
  return or(
    inArray(certificates.kind, ['trusted', 'internal-ca']),
    someZoneInReach(certificates.zones, reach),
    inArray(certificates.account, known),
  );
}

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

/** @returns how many there were */
export async function deleteLoginCertificatesOf(queries: Queries, account: string): Promise<number> {
  const result = await queries
    .delete(certificates)
    .where(and(eq(certificates.kind, 'login'), eq(certificates.account, account)));
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

/** Rows of a schema that did not have the columns to search by yet. */
export const certificatesWithoutFacts = (queries: Queries): Promise<CertificateRow[]> =>
  queries.select().from(certificates).where(eq(certificates.topIssuer, '')).all();

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
