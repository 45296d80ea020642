import { and, asc, eq, gt, isNull } from 'drizzle-orm';
import type { Queries } from './database.ts';
import { type Page, zoneInReach } from './page.ts';
import { joinTokens } from './tables/index.ts';

export type JoinTokenRow = typeof joinTokens.$inferSelect;

export const listJoinTokens = (queries: Queries, page: Page): Promise<JoinTokenRow[]> =>
  queries
    .select()
    .from(joinTokens)
    .where(and(gt(joinTokens.id, page.after), zoneInReach(joinTokens.zone, page.reach)))
    .orderBy(asc(joinTokens.id))
    .limit(page.limit)
    .all();

export const findJoinToken = (queries: Queries, id: string): Promise<JoinTokenRow | undefined> =>
  queries.select().from(joinTokens).where(eq(joinTokens.id, id)).get();

export async function insertJoinToken(queries: Queries, row: JoinTokenRow): Promise<void> {
  await queries.insert(joinTokens).values(row);
}

/**
 * Spends a token for a signing key, once: the one conditional UPDATE that two nodes can race for.
 *
 * @returns whether this call spent it
 */
export async function spendJoinToken(
  queries: Queries,
  id: string,
  signingKey: string,
  node: string,
): Promise<boolean> {
  const result = await queries
    .update(joinTokens)
    .set({ spentBy: signingKey, node })
    .where(and(eq(joinTokens.id, id), isNull(joinTokens.spentBy)));
  return result.rowsAffected === 1;
}
