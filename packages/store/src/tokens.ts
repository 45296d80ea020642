import { and, asc, eq, gt } from 'drizzle-orm';
import type { Queries } from './database.ts';
import { everyZoneInReach, type Page } from './page.ts';
import { tokens } from './tables/index.ts';

export type TokenRow = typeof tokens.$inferSelect;

/** A reader sees the tokens that reach no further than its own. */
export const listTokens = (queries: Queries, page: Page): Promise<TokenRow[]> =>
  queries
    .select()
    .from(tokens)
    .where(and(gt(tokens.id, page.after), everyZoneInReach(tokens.zones, page.reach)))
    .orderBy(asc(tokens.id))
    .limit(page.limit)
    .all();

/** @param hash SHA-256 of the presented secret in hex: the look-up compares hashes, so its time tells nothing */
export const findTokenHashed = (queries: Queries, hash: string): Promise<TokenRow | undefined> =>
  queries.select().from(tokens).where(eq(tokens.hash, hash)).get();

export const findToken = (queries: Queries, id: string): Promise<TokenRow | undefined> =>
  queries.select().from(tokens).where(eq(tokens.id, id)).get();

export async function insertToken(queries: Queries, row: TokenRow): Promise<void> {
  await queries.insert(tokens).values(row);
}

export async function deleteToken(queries: Queries, id: string): Promise<boolean> {
  return (await queries.delete(tokens).where(eq(tokens.id, id))).rowsAffected === 1;
}
