import { and, asc, eq, inArray, type SQL, sql } from 'drizzle-orm';
import type { Queries } from './database.ts';
import { type Reach, someZoneInReach } from './page.ts';
import { accounts, certificates } from './tables/index.ts';

/** How many accounts, and the first of their names. */
export type AccountCount = { readonly count: number; readonly names: readonly string[] };

async function counted(queries: Queries, condition: SQL | undefined, most: number): Promise<AccountCount> {
  const rows = await queries
    .select({ name: accounts.name, count: sql<number>`count(*) OVER ()` })
    .from(accounts)
    .where(condition)
    .orderBy(asc(accounts.name))
    .limit(most)
    .all();
  return { count: rows[0]?.count ?? 0, names: rows.map(({ name }) => name) };
}

/** Accounts that are let into at least one of the zones. */
export const accountsInZones = (
  queries: Queries,
  zones: readonly string[],
  most: number,
): Promise<AccountCount> => counted(queries, someZoneInReach(accounts.zones, zones), most);

/** Accounts that log in by a certificate whose chain ends below a CA of that name and which is not pinned. */
export function accountsBelowCa(
  queries: Queries,
  subjectHash: string,
  reach: Reach,
  most: number,
): Promise<AccountCount> {
  const below = queries
    .select({ account: certificates.account })
    .from(certificates)
    .where(
      and(
        eq(certificates.topIssuer, subjectHash),
        eq(certificates.kind, 'login'),
        eq(certificates.form, 'x509'),
        eq(certificates.anchor, 'path'),
        sql`${certificates.revokedAt} IS NULL`,
      ),
    );
  return counted(queries, and(inArray(accounts.id, below), someZoneInReach(accounts.zones, reach)), most);
}

/** Ids of local certificates whose chain ends below a CA of that name. */
export const localsBelowCa = async (queries: Queries, subjectHash: string): Promise<string[]> =>
  (
    await queries
      .select({ id: certificates.id })
      .from(certificates)
      .where(and(eq(certificates.topIssuer, subjectHash), eq(certificates.kind, 'local')))
      .all()
  ).map(({ id }) => id);
