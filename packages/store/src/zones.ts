import type { Zone } from '@sallyport/model';
import { and, asc, eq, gt, inArray } from 'drizzle-orm';
import type { Queries } from './database.ts';
import { type Page, zoneInReach } from './page.ts';
import { zones } from './tables/index.ts';

export const listZones = (queries: Queries, page: Page): Promise<Zone[]> =>
  queries
    .select()
    .from(zones)
    .where(and(gt(zones.id, page.after), zoneInReach(zones.id, page.reach)))
    .orderBy(asc(zones.id))
    .limit(page.limit)
    .all();

export const allZones = (queries: Queries): Promise<Zone[]> =>
  queries.select().from(zones).orderBy(asc(zones.id)).all();

export const findZone = (queries: Queries, id: string): Promise<Zone | undefined> =>
  queries.select().from(zones).where(eq(zones.id, id)).get();

export const findZones = (queries: Queries, ids: readonly string[] | 'all'): Promise<Zone[]> =>
  ids === 'all'
    ? allZones(queries)
    : queries
        .select()
        .from(zones)
        .where(inArray(zones.id, [...ids]))
        .orderBy(asc(zones.id))
        .all();

export const findZoneNamed = (queries: Queries, name: string): Promise<Zone | undefined> =>
  queries.select().from(zones).where(eq(zones.name, name)).get();

export async function insertZone(queries: Queries, zone: Zone): Promise<void> {
  await queries.insert(zones).values(zone);
}

/** @returns whether the row still had that version */
export async function updateZone(queries: Queries, zone: Zone, expectedVersion: number): Promise<boolean> {
  const result = await queries
    .update(zones)
    .set(zone)
    .where(and(eq(zones.id, zone.id), eq(zones.version, expectedVersion)));
  return result.rowsAffected === 1;
}
