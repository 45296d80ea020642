import { type Bytes, copyOf } from '@sallyport/bytes';
import { and, asc, desc, eq, gte, lte, sql } from 'drizzle-orm';
import type { Queries } from './database.ts';
import {
  blobs,
  contentKeys,
  installation,
  nodeEnvelopes,
  outbox,
  publications,
  roots,
  snapshots,
} from './tables/index.ts';

export type SnapshotRow = typeof snapshots.$inferSelect;
export type PublicationRow = typeof publications.$inferSelect;

/** The newest committed change. */
export async function readChangeSequence(queries: Queries): Promise<number> {
  return (await queries.select().from(installation).where(eq(installation.id, 1)).get())?.changeSequence ?? 0;
}

export const findPublication = (queries: Queries, zone: string): Promise<PublicationRow | undefined> =>
  queries.select().from(publications).where(eq(publications.zone, zone)).get();

export async function savePublication(queries: Queries, row: PublicationRow): Promise<void> {
  await queries.insert(publications).values(row).onConflictDoUpdate({ target: publications.zone, set: row });
}

/**
 * Replaces a zone's timestamp by a newer one for the same version.
 *
 * @returns false where the version has moved on meanwhile
 */
export async function replaceTimestamp(
  queries: Queries,
  current: Pick<PublicationRow, 'zone' | 'trustEpoch' | 'version'>,
  timestamp: string,
  issuedAt: number,
): Promise<boolean> {
  const result = await queries
    .update(publications)
    .set({ timestamp, issuedAt })
    .where(
      and(
        eq(publications.zone, current.zone),
        eq(publications.trustEpoch, current.trustEpoch),
        eq(publications.version, current.version),
        lte(publications.issuedAt, issuedAt),
      ),
    );
  return result.rowsAffected === 1;
}

export const findSnapshot = (
  queries: Queries,
  zone: string,
  trustEpoch: number,
  version: number,
): Promise<SnapshotRow | undefined> =>
  queries
    .select()
    .from(snapshots)
    .where(
      and(eq(snapshots.zone, zone), eq(snapshots.trustEpoch, trustEpoch), eq(snapshots.version, version)),
    )
    .get();

/** The first version that was read at that change or after it. */
export const firstSnapshotAt = (
  queries: Queries,
  zone: string,
  trustEpoch: number,
  sequence: number,
): Promise<SnapshotRow | undefined> =>
  queries
    .select()
    .from(snapshots)
    .where(
      and(eq(snapshots.zone, zone), eq(snapshots.trustEpoch, trustEpoch), gte(snapshots.sequence, sequence)),
    )
    .orderBy(asc(snapshots.version))
    .limit(1)
    .get();

/** Versions of a zone, newest first, below a version. */
export const listSnapshots = (
  queries: Queries,
  zone: string,
  below: number,
  limit: number,
): Promise<SnapshotRow[]> =>
  queries
    .select()
    .from(snapshots)
    .where(and(eq(snapshots.zone, zone), lte(snapshots.version, below)))
    .orderBy(desc(snapshots.trustEpoch), desc(snapshots.version))
    .limit(limit)
    .all();

/** Fails on the unique key where another publisher was first. */
export async function insertSnapshot(queries: Queries, row: SnapshotRow): Promise<void> {
  await queries.insert(snapshots).values(row);
}

export const pendingPublications = (queries: Queries): Promise<{ zone: string; sequence: number }[]> =>
  queries.select().from(outbox).all();

/** Sequence of the zone's newest change that is not published yet; nothing where there is none. */
export async function pendingSequence(queries: Queries, zone: string): Promise<number | undefined> {
  return (await queries.select().from(outbox).where(eq(outbox.zone, zone)).get())?.sequence;
}

/** Forgets that a zone waits, unless a later change has come. */
export async function clearOutbox(queries: Queries, zone: string, covered: number): Promise<void> {
  await queries.delete(outbox).where(and(eq(outbox.zone, zone), lte(outbox.sequence, covered)));
}

export async function findBlob(queries: Queries, zone: string, digest: string): Promise<Bytes | undefined> {
  const row = await queries
    .select({ bytes: blobs.bytes })
    .from(blobs)
    .where(and(eq(blobs.zone, zone), eq(blobs.digest, digest)))
    .get();
  return row && copyOf(row.bytes);
}

export const findBlobByFingerprint = (
  queries: Queries,
  key: { zone: string; keyEpoch: number; section: string; fingerprint: string },
): Promise<{ digest: string; size: number } | undefined> =>
  queries
    .select({ digest: blobs.digest, size: sql<number>`length(${blobs.bytes})` })
    .from(blobs)
    .where(
      and(
        eq(blobs.zone, key.zone),
        eq(blobs.keyEpoch, key.keyEpoch),
        eq(blobs.section, key.section),
        eq(blobs.fingerprint, key.fingerprint),
      ),
    )
    .get();

export async function insertBlob(
  queries: Queries,
  row: Omit<typeof blobs.$inferInsert, 'bytes'> & { bytes: Bytes },
): Promise<void> {
  await queries
    .insert(blobs)
    .values({ ...row, bytes: row.bytes as unknown as typeof blobs.$inferInsert.bytes })
    .onConflictDoNothing();
}

export async function findNodeEnvelope(
  queries: Queries,
  key: { zone: string; keyEpoch: number; node: string; fingerprint: string },
): Promise<string | undefined> {
  const row = await queries
    .select()
    .from(nodeEnvelopes)
    .where(
      and(
        eq(nodeEnvelopes.zone, key.zone),
        eq(nodeEnvelopes.keyEpoch, key.keyEpoch),
        eq(nodeEnvelopes.node, key.node),
      ),
    )
    .get();
  return row?.fingerprint === key.fingerprint ? row.envelope : undefined;
}

export async function saveNodeEnvelope(
  queries: Queries,
  row: typeof nodeEnvelopes.$inferInsert,
): Promise<void> {
  await queries
    .insert(nodeEnvelopes)
    .values(row)
    .onConflictDoUpdate({
      target: [nodeEnvelopes.zone, nodeEnvelopes.keyEpoch, nodeEnvelopes.node],
      set: { fingerprint: row.fingerprint, envelope: row.envelope },
    });
}

export const newestContentKey = (
  queries: Queries,
  zone: string,
): Promise<{ zone: string; keyEpoch: number; wrapped: string } | undefined> =>
  queries
    .select()
    .from(contentKeys)
    .where(eq(contentKeys.zone, zone))
    .orderBy(desc(contentKeys.keyEpoch))
    .limit(1)
    .get();

export async function insertContentKey(
  queries: Queries,
  row: typeof contentKeys.$inferInsert,
): Promise<void> {
  await queries.insert(contentKeys).values(row);
}

/** The newest root metadata. */
export const newestRoot = (
  queries: Queries,
): Promise<{ version: number; trustEpoch: number; envelope: string } | undefined> =>
  queries.select().from(roots).orderBy(desc(roots.version)).limit(1).get();

export const findRoot = (
  queries: Queries,
  version: number,
): Promise<{ version: number; trustEpoch: number; envelope: string } | undefined> =>
  queries.select().from(roots).where(eq(roots.version, version)).get();

export async function insertRoot(
  queries: Queries,
  row: { version: number; trustEpoch: number; envelope: string },
): Promise<void> {
  await queries.insert(roots).values(row);
}
