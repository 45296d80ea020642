import { and, asc, count, eq, inArray, lte, sql } from 'drizzle-orm';
import { inPieces } from './chunks.ts';
import type { Queries } from './database.ts';
import { denyEntries, denyLists } from './tables/index.ts';

export type DenyListRow = typeof denyLists.$inferSelect;
export type DenyEntryRow = typeof denyEntries.$inferSelect;

export const findDenyList = (queries: Queries, zone: string): Promise<DenyListRow | undefined> =>
  queries.select().from(denyLists).where(eq(denyLists.zone, zone)).get();

/** Entries of a zone that still hold at a time (RFC 3339), in the order of their keys. */
export const denyEntriesOf = (queries: Queries, zone: string, at: string): Promise<DenyEntryRow[]> =>
  queries
    .select()
    .from(denyEntries)
    .where(and(eq(denyEntries.zone, zone), sql`${denyEntries.until} > ${at}`))
    .orderBy(asc(denyEntries.key))
    .all();

/** A zone's entries of these keys. */
export const denyEntriesKeyed = (
  queries: Queries,
  zone: string,
  keys: readonly string[],
): Promise<DenyEntryRow[]> =>
  inPieces(keys, (piece) =>
    queries
      .select()
      .from(denyEntries)
      .where(and(eq(denyEntries.zone, zone), inArray(denyEntries.key, piece)))
      .all(),
  );

export async function countDenyEntries(queries: Queries, zone: string): Promise<number> {
  const row = await queries
    .select({ entries: count() })
    .from(denyEntries)
    .where(eq(denyEntries.zone, zone))
    .get();
  return row?.entries ?? 0;
}

/** Writes an entry, or its new end; the zone's list is due to be signed anew. */
export const insertDenyEntry = (queries: Queries, row: DenyEntryRow, trustEpoch: number): Promise<void> =>
  insertDenyEntries(queries, row.zone, [row], trustEpoch);

/** Writes entries of one zone at once, at most a few hundred and each key once. */
export async function insertDenyEntries(
  queries: Queries,
  zone: string,
  rows: readonly DenyEntryRow[],
  trustEpoch: number,
): Promise<void> {
  if (rows.length === 0) return;
  await queries
    .insert(denyEntries)
    .values([...rows])
    .onConflictDoUpdate({
      target: [denyEntries.zone, denyEntries.key],
      set: { entry: sql`excluded.entry`, until: sql`excluded.until` },
    });
  await queries
    .insert(denyLists)
    .values({
      zone,
      revision: 1,
      signedRevision: null,
      trustEpoch,
      sequence: 0,
      envelope: null,
      issuedAt: 0,
    })
    .onConflictDoUpdate({ target: denyLists.zone, set: { revision: sql`${denyLists.revision} + 1` } });
}

/** Removes a zone's entries that have ended by a time (RFC 3339), and those of sessions that no node tells of. */
export async function pruneDenyEntries(queries: Queries, zone: string, at: string): Promise<void> {
  await queries.delete(denyEntries).where(
    and(
      eq(denyEntries.zone, zone),
      sql`(${lte(denyEntries.until, at)} OR (${denyEntries.key} LIKE 'session:%'
          AND substr(${denyEntries.key}, 9) NOT IN (SELECT id FROM sessions)))`,
    ),
  );
}

/**
 * Stores a zone's newly signed list.
 *
 * @param before sequence of the one it replaces
 * @returns false where another one has come in between
 */
export async function saveDenyList(
  queries: Queries,
  zone: string,
  before: number,
  signed: Pick<DenyListRow, 'signedRevision' | 'trustEpoch' | 'sequence' | 'envelope' | 'issuedAt'>,
): Promise<boolean> {
  const result = await queries
    .update(denyLists)
    .set(signed)
    .where(and(eq(denyLists.zone, zone), eq(denyLists.sequence, before)));
  return result.rowsAffected === 1;
}
