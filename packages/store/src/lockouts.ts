import type { LockoutCounter } from '@sallyport/model';
import { and, asc, count, eq, gt, lte, sql } from 'drizzle-orm';
import type { Queries } from './database.ts';
import { type Page, zoneInReach } from './page.ts';
import { lockouts } from './tables/index.ts';

export type LockoutRow = typeof lockouts.$inferSelect;

/** Which lock-outs a list holds: all that fit every one of these. */
export type LockoutFilter = {
  readonly zone?: string | undefined;
  readonly counter?: LockoutCounter | undefined;
  readonly account?: string | undefined;
  readonly source?: string | undefined;
};

/** Lock-outs that hold at a time (RFC 3339), in the order of their ids. */
export const listLockouts = (
  queries: Queries,
  page: Page,
  { zone, counter, account, source }: LockoutFilter,
  at: string,
): Promise<LockoutRow[]> =>
  queries
    .select()
    .from(lockouts)
    .where(
      and(
        gt(lockouts.id, page.after),
        gt(lockouts.until, at),
        zoneInReach(lockouts.zone, page.reach),
        zone === undefined ? undefined : eq(lockouts.zone, zone),
        counter === undefined ? undefined : eq(lockouts.counter, counter),
        account === undefined ? undefined : eq(lockouts.account, account),
        source === undefined ? undefined : eq(lockouts.source, source),
      ),
    )
    .orderBy(asc(lockouts.id))
    .limit(page.limit)
    .all();

export const findLockout = (queries: Queries, id: string): Promise<LockoutRow | undefined> =>
  queries.select().from(lockouts).where(eq(lockouts.id, id)).get();

/** How many a zone has of each kind. */
export async function countLockouts(
  queries: Queries,
  zone: string,
): Promise<ReadonlyMap<LockoutCounter, number>> {
  const rows = await queries
    .select({ counter: lockouts.counter, rows: count() })
    .from(lockouts)
    .where(eq(lockouts.zone, zone))
    .groupBy(lockouts.counter)
    .all();
  return new Map(rows.map(({ counter, rows: number }) => [counter, number]));
}

/** How many of those that there are a node has told of since a time (RFC 3339). */
export async function countLockoutsBy(queries: Queries, node: string, since: string): Promise<number> {
  const row = await queries
    .select({ rows: count() })
    .from(lockouts)
    .where(and(eq(lockouts.node, node), gt(lockouts.since, since)))
    .get();
  return row?.rows ?? 0;
}

/** Writes lock-outs, at most a few hundred and each key once; one that there is gets a new end and keeps its id. */
export async function saveLockouts(queries: Queries, rows: readonly LockoutRow[]): Promise<void> {
  if (rows.length === 0) return;
  const set = { node: sql`excluded.node`, since: sql`excluded.since`, until: sql`excluded.until` };
  await queries
    .insert(lockouts)
    .values([...rows])
    .onConflictDoUpdate({ target: [lockouts.zone, lockouts.key], set });
}

export async function deleteLockout(queries: Queries, id: string): Promise<void> {
  await queries.delete(lockouts).where(eq(lockouts.id, id));
}

/** Removes a zone's lock-outs that have ended by a time (RFC 3339). */
export async function pruneLockouts(queries: Queries, zone: string, at: string): Promise<void> {
  await queries.delete(lockouts).where(and(eq(lockouts.zone, zone), lte(lockouts.until, at)));
}
