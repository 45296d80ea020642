import type { LiveSession, ServerProtocol, SessionReport } from '@sallyport/model';
import { and, asc, eq, gt, sql } from 'drizzle-orm';
import type { Queries } from './database.ts';
import { type Page, zoneInReach } from './page.ts';
import { denyEntries, nodes, sessions } from './tables/index.ts';

/** A live session, when its node last reported, and whether it is on its zone's deny list. */
export type SessionRow = typeof sessions.$inferSelect & {
  readonly seenAt: string | null;
  readonly ending: boolean;
};

/** Which sessions a list holds: all that fit every one of these. */
export type SessionFilter = {
  readonly zone?: string | undefined;
  readonly node?: string | undefined;
  readonly server?: string | undefined;
  readonly account?: string | undefined;
  readonly source?: string | undefined;
  readonly protocol?: ServerProtocol | undefined;
  readonly outdated?: boolean | undefined;
};

/** Key of a session's entry in the deny list. */
export const sessionDenyKey = (session: string): string => `session:${session}`;

const shown = (queries: Queries) =>
  queries
    .select({ session: sessions, seenAt: nodes.lastSeenAt, denied: denyEntries.key })
    .from(sessions)
    .leftJoin(nodes, eq(nodes.id, sessions.node))
    .leftJoin(
      denyEntries,
      and(eq(denyEntries.zone, sessions.zone), eq(denyEntries.key, sql`'session:' || ${sessions.id}`)),
    );

const rowOf = (found: {
  session: typeof sessions.$inferSelect;
  seenAt: string | null;
  denied: string | null;
}): SessionRow => ({ ...found.session, seenAt: found.seenAt, ending: found.denied !== null });

/** Sessions in the order of their ids. */
export async function listSessions(
  queries: Queries,
  page: Page,
  filter: SessionFilter,
): Promise<SessionRow[]> {
  const { zone, node, server, account, source, protocol, outdated } = filter;
  const rows = await shown(queries)
    .where(
      and(
        gt(sessions.id, page.after),
        zoneInReach(sessions.zone, page.reach),
        zone === undefined ? undefined : eq(sessions.zone, zone),
        node === undefined ? undefined : eq(sessions.node, node),
        server === undefined ? undefined : eq(sessions.server, server),
        account === undefined ? undefined : eq(sessions.account, account),
        source === undefined ? undefined : eq(sessions.source, source),
        protocol === undefined ? undefined : eq(sessions.protocol, protocol),
        outdated === undefined ? undefined : eq(sessions.outdated, outdated),
      ),
    )
    .orderBy(asc(sessions.id))
    .limit(page.limit)
    .all();
  return rows.map(rowOf);
}

export async function findSession(queries: Queries, id: string): Promise<SessionRow | undefined> {
  const found = await shown(queries).where(eq(sessions.id, id)).get();
  return found && rowOf(found);
}

/**
 * Takes a node's report in place of its last one: two statements, however many sessions it has. An id that another
 * node has told of stays that node's.
 */
export async function replaceSessions(
  queries: Queries,
  origin: { readonly node: string; readonly zone: string },
  items: SessionReport['items'],
): Promise<void> {
  const told = JSON.stringify(items satisfies readonly LiveSession[]);
  await queries
    .delete(sessions)
    .where(
      and(
        eq(sessions.node, origin.node),
        sql`${sessions.id} NOT IN (SELECT value ->> 'id' FROM json_each(${told}))`,
      ),
    );
  // WHERE true: without it the parser takes ON CONFLICT for a join condition.
  await queries.run(sql`
    INSERT INTO sessions
      (id, node, zone, server, protocol, account, source, since, proofs, credential, certificate, outdated)
    SELECT value ->> 'id', ${origin.node}, ${origin.zone}, value ->> 'server', value ->> 'protocol',
      value ->> 'account', value ->> 'source', value ->> 'since', value -> 'proofs', value ->> 'credential',
      value ->> 'certificate', value ->> 'outdated'
    FROM json_each(${told}) WHERE true
    ON CONFLICT (id) DO UPDATE SET outdated = excluded.outdated
      WHERE node = excluded.node AND outdated <> excluded.outdated`);
}

/** Forgets what a node told of. */
export async function deleteSessionsOf(queries: Queries, node: string): Promise<void> {
  await queries.delete(sessions).where(eq(sessions.node, node));
}
