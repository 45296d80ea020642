import type { Server } from '@sallyport/model';
import { and, asc, eq, gt, sql } from 'drizzle-orm';
import type { Queries } from './database.ts';
import { type Page, zoneInReach } from './page.ts';
import { servers } from './tables/index.ts';

const rowOf = (server: Server) => ({
  id: server.id,
  name: server.name,
  zone: server.zone,
  protocol: server.protocol,
  definition: server,
  version: server.version,
});

export async function listServers(queries: Queries, page: Page): Promise<Server[]> {
  const rows = await queries
    .select()
    .from(servers)
    .where(and(gt(servers.id, page.after), zoneInReach(servers.zone, page.reach)))
    .orderBy(asc(servers.id))
    .limit(page.limit)
    .all();
  return rows.map((row) => row.definition);
}

export async function allServers(queries: Queries): Promise<Server[]> {
  return (await queries.select().from(servers).all()).map((row) => row.definition);
}

/** Names of the servers that are assigned a certificate, by the certificate's id. */
export async function serversByCertificate(
  queries: Queries,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await queries.all<{ name: string; certificate: string }>(
    sql`SELECT ${servers.name} AS name, assigned.value AS certificate
      FROM ${servers}, json_each(${servers.definition}, '$.certificates') AS assigned ORDER BY 1`,
  );
  const names = new Map<string, string[]>();
  for (const { name, certificate } of rows) names.set(certificate, [...(names.get(certificate) ?? []), name]);
  return names;
}

export async function serversOfZone(queries: Queries, zone: string): Promise<Server[]> {
  const rows = await queries
    .select()
    .from(servers)
    .where(eq(servers.zone, zone))
    .orderBy(asc(servers.id))
    .all();
  return rows.map((row) => row.definition);
}

export async function findServer(queries: Queries, id: string): Promise<Server | undefined> {
  return (await queries.select().from(servers).where(eq(servers.id, id)).get())?.definition;
}

export async function findServerNamed(queries: Queries, name: string): Promise<Server | undefined> {
  return (await queries.select().from(servers).where(eq(servers.name, name)).get())?.definition;
}

export async function insertServer(queries: Queries, server: Server): Promise<void> {
  await queries.insert(servers).values(rowOf(server));
}

/** @returns whether the row still had that version */
export async function updateServer(
  queries: Queries,
  server: Server,
  expectedVersion: number,
): Promise<boolean> {
  const result = await queries
    .update(servers)
    .set(rowOf(server))
    .where(and(eq(servers.id, server.id), eq(servers.version, expectedVersion)));
  return result.rowsAffected === 1;
}

/** @returns whether the row still had that version */
export async function deleteServer(queries: Queries, id: string, expectedVersion: number): Promise<boolean> {
  const result = await queries
    .delete(servers)
    .where(and(eq(servers.id, id), eq(servers.version, expectedVersion)));
  return result.rowsAffected === 1;
}
