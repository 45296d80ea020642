import { and, asc, eq, gt, inArray } from 'drizzle-orm';
import { inPieces } from './chunks.ts';
import type { Queries } from './database.ts';
import { type Page, someZoneInReach } from './page.ts';
import { accounts } from './tables/index.ts';

/** An account as it is stored; its login certificates are rows of their own. */
export type AccountRow = typeof accounts.$inferSelect;

/** Ids of the accounts of which some zone is in reach, as part of another query. */
export const accountsInReach = (queries: Queries, reach: readonly string[]) =>
  queries.select({ id: accounts.id }).from(accounts).where(someZoneInReach(accounts.zones, reach));

export const listAccounts = (queries: Queries, page: Page): Promise<AccountRow[]> =>
  queries
    .select()
    .from(accounts)
    .where(and(gt(accounts.id, page.after), someZoneInReach(accounts.zones, page.reach)))
    .orderBy(asc(accounts.id))
    .limit(page.limit)
    .all();

export const allAccounts = (queries: Queries): Promise<AccountRow[]> =>
  queries.select().from(accounts).orderBy(asc(accounts.id)).all();

export const findAccount = (queries: Queries, id: string): Promise<AccountRow | undefined> =>
  queries.select().from(accounts).where(eq(accounts.id, id)).get();

export const findAccounts = (queries: Queries, ids: readonly string[]): Promise<AccountRow[]> =>
  inPieces(ids, (piece) => queries.select().from(accounts).where(inArray(accounts.id, piece)).all());

export const findAccountKeyed = (queries: Queries, nameKey: string): Promise<AccountRow | undefined> =>
  queries.select().from(accounts).where(eq(accounts.nameKey, nameKey)).get();

export const findAccountsKeyed = (queries: Queries, nameKeys: readonly string[]): Promise<AccountRow[]> =>
  inPieces(nameKeys, (piece) =>
    queries.select().from(accounts).where(inArray(accounts.nameKey, piece)).all(),
  );

export async function insertAccount(queries: Queries, row: AccountRow): Promise<void> {
  await queries.insert(accounts).values(row);
}

/** @returns whether the row still had that version */
export async function updateAccount(
  queries: Queries,
  row: AccountRow,
  expectedVersion: number,
): Promise<boolean> {
  const result = await queries
    .update(accounts)
    .set(row)
    .where(and(eq(accounts.id, row.id), eq(accounts.version, expectedVersion)));
  return result.rowsAffected === 1;
}

/** @returns whether the row still had that version */
export async function deleteAccount(queries: Queries, id: string, expectedVersion: number): Promise<boolean> {
  const result = await queries
    .delete(accounts)
    .where(and(eq(accounts.id, id), eq(accounts.version, expectedVersion)));
  return result.rowsAffected === 1;
}
