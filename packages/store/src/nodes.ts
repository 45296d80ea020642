import type { NodeStatus } from '@sallyport/model';
import { and, asc, eq, gt, lt } from 'drizzle-orm';
import type { Queries } from './database.ts';
import { type Page, zoneInReach } from './page.ts';
import { nodes } from './tables/index.ts';

export type NodeRow = typeof nodes.$inferSelect;

export const listNodes = (queries: Queries, page: Page): Promise<NodeRow[]> =>
  queries
    .select()
    .from(nodes)
    .where(and(gt(nodes.id, page.after), zoneInReach(nodes.zone, page.reach)))
    .orderBy(asc(nodes.id))
    .limit(page.limit)
    .all();

export const activeNodes = (queries: Queries, zone: string): Promise<NodeRow[]> =>
  queries
    .select()
    .from(nodes)
    .where(and(eq(nodes.zone, zone), eq(nodes.state, 'active')))
    .orderBy(asc(nodes.id))
    .all();

export const findNode = (queries: Queries, id: string): Promise<NodeRow | undefined> =>
  queries.select().from(nodes).where(eq(nodes.id, id)).get();

export const findNodeNamed = (queries: Queries, name: string): Promise<NodeRow | undefined> =>
  queries.select().from(nodes).where(eq(nodes.name, name)).get();

export async function insertNode(queries: Queries, row: NodeRow): Promise<void> {
  await queries.insert(nodes).values(row);
}

/** @returns whether the row still had that version */
export async function updateNode(
  queries: Queries,
  id: string,
  changes: Partial<NodeRow>,
  expectedVersion: number,
): Promise<boolean> {
  const result = await queries
    .update(nodes)
    .set({ ...changes, version: expectedVersion + 1 })
    .where(and(eq(nodes.id, id), eq(nodes.version, expectedVersion)));
  return result.rowsAffected === 1;
}

/**
 * Keeps what a node says of itself; not a change of configuration, so no version and no audit row.
 *
 * @returns false where a report of that sequence or a later one came before: a replay
 */
export async function recordNodeStatus(
  queries: Queries,
  id: string,
  status: NodeStatus,
  seenAt: string,
): Promise<boolean> {
  const result = await queries
    .update(nodes)
    .set({
      statusSequence: status.sequence,
      appliedVersion: status.appliedVersion,
      serving: status.serving,
      items: status.items,
      lastSeenAt: seenAt,
    })
    .where(and(eq(nodes.id, id), lt(nodes.statusSequence, status.sequence)));
  return result.rowsAffected === 1;
}

/** @returns false where a batch of that sequence or a later one came before */
export async function advanceEventSequence(queries: Queries, id: string, sequence: number): Promise<boolean> {
  const result = await queries
    .update(nodes)
    .set({ eventSequence: sequence })
    .where(and(eq(nodes.id, id), lt(nodes.eventSequence, sequence)));
  return result.rowsAffected === 1;
}
