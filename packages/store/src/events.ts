import type { Event } from '@sallyport/model';
import { and, asc, eq, gt } from 'drizzle-orm';
import type { Queries } from './database.ts';
import { events } from './tables/index.ts';

export type EventRow = typeof events.$inferSelect;

/** Stores what is new of a batch; an event that came before is left as it is. */
export async function insertEvents(
  queries: Queries,
  origin: { readonly node: string; readonly zone: string },
  batch: readonly Event[],
): Promise<void> {
  for (const body of batch) {
    await queries
      .insert(events)
      .values({ ...origin, eventId: body.id, at: body.at, body })
      .onConflictDoNothing();
  }
}

/** Events after a position, oldest first. */
export const listEvents = (
  queries: Queries,
  after: number,
  limit: number,
  zone: string | undefined,
): Promise<EventRow[]> =>
  queries
    .select()
    .from(events)
    .where(
      zone === undefined
        ? gt(events.position, after)
        : and(gt(events.position, after), eq(events.zone, zone)),
    )
    .orderBy(asc(events.position))
    .limit(limit)
    .all();
