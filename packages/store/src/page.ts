import { inArray, type SQL, sql } from 'drizzle-orm';
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core';

/** Zones whose rows a reader may see. */
export type Reach = '*' | readonly string[];

/** Which part of a list is asked for: rows after an id, in the order of ids, as far as the reader may see them. */
export type Page = { readonly after: string; readonly limit: number; readonly reach: Reach };

/** The row's one zone is in reach. */
export const zoneInReach = (zone: SQLiteColumn, reach: Reach): SQL | undefined =>
  reach === '*' ? undefined : inArray(zone, [...reach]);

/** At least one of the row's zones (a JSON array) is in reach. */
export const someZoneInReach = (zones: SQLiteColumn, reach: Reach): SQL | undefined =>
  reach === '*' ? undefined : sql`EXISTS (SELECT 1 FROM json_each(${zones}) WHERE value IN ${[...reach]})`;

/** All the row's zones are in reach; the text `*` is in reach of `*` alone. */
export const everyZoneInReach = (zones: SQLiteColumn, reach: Reach): SQL | undefined =>
  reach === '*'
    ? undefined
    : sql`json_type(${zones}) = 'array' AND NOT EXISTS (SELECT 1 FROM json_each(${zones}) WHERE value NOT IN ${[...reach]})`;
