import { and, asc, eq, gt } from 'drizzle-orm';
import type { Queries } from './database.ts';
import { hostKeyReceipts, servers } from './tables/index.ts';

export type HostKeyReceipt = typeof hostKeyReceipts.$inferSelect;

/**
 * Notes that clients of an account know host keys of a server.
 *
 * @param zone zone of the node that says so: of another zone's server it knows nothing
 * @returns whether the server is one of the zone
 */
export async function saveHostKeyReceipts(
  queries: Queries,
  zone: string,
  receipt: { readonly server: string; readonly account: string; readonly at: string },
  fingerprints: readonly string[],
): Promise<boolean> {
  const { server, account, at } = receipt;
  const own = await queries
    .select({ id: servers.id })
    .from(servers)
    .where(and(eq(servers.id, server), eq(servers.zone, zone)))
    .get();
  if (!own) return false;
  for (const fingerprint of fingerprints) {
    await queries
      .insert(hostKeyReceipts)
      .values({ server, account, fingerprint, firstAt: at, lastAt: at })
      .onConflictDoUpdate({
        target: [hostKeyReceipts.server, hostKeyReceipts.account, hostKeyReceipts.fingerprint],
        set: { lastAt: at },
      });
  }
  return true;
}

/** Receipts of a server for accounts after a name, in the order of the names. */
export const hostKeyReceiptsOf = (queries: Queries, server: string, after = ''): Promise<HostKeyReceipt[]> =>
  queries
    .select()
    .from(hostKeyReceipts)
    .where(and(eq(hostKeyReceipts.server, server), gt(hostKeyReceipts.account, after)))
    .orderBy(asc(hostKeyReceipts.account))
    .all();

/** Forgets what was known of a server that is gone. */
export async function deleteHostKeyReceipts(queries: Queries, server: string): Promise<void> {
  await queries.delete(hostKeyReceipts).where(eq(hostKeyReceipts.server, server));
}
