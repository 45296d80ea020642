import { and, asc, eq, inArray, isNull } from 'drizzle-orm';
import { inPieces } from './chunks.ts';
import type { Queries } from './database.ts';
import { revocations } from './tables/index.ts';

export type RevocationRow = typeof revocations.$inferSelect;

export const allRevocations = (queries: Queries): Promise<RevocationRow[]> =>
  queries.select().from(revocations).orderBy(asc(revocations.sha256)).all();

/** Was the key revoked everywhere? */
export const findRevokedKey = (queries: Queries, spkiSha256: string): Promise<RevocationRow | undefined> =>
  queries
    .select()
    .from(revocations)
    .where(and(eq(revocations.spkiSha256, spkiSha256), isNull(revocations.zones)))
    .get();

/** Which of the keys were revoked, and where. */
export const revokedKeys = (queries: Queries, spkiSha256s: readonly string[]): Promise<RevocationRow[]> =>
  inPieces(spkiSha256s, (piece) =>
    queries.select().from(revocations).where(inArray(revocations.spkiSha256, piece)).all(),
  );

export const findRevocation = (queries: Queries, sha256: string): Promise<RevocationRow | undefined> =>
  queries.select().from(revocations).where(eq(revocations.sha256, sha256)).get();

/**
 * Revoking twice keeps the first time and reason, and holds in the zones of both. Of a certificate that was revoked by
 * its digest alone, the key and what lists name it by are learnt when it comes.
 *
 * @param queries under the write lock
 */
export async function insertRevocation(queries: Queries, row: RevocationRow): Promise<void> {
  const held = await findRevocation(queries, row.sha256);
  if (!held) {
    await queries.insert(revocations).values(row);
    return;
  }
  const { spkiSha256, issuerHash, serial } = held.spkiSha256 === held.sha256 ? row : held;
  const zones = held.zones && row.zones && [...new Set([...held.zones, ...row.zones])];
  await queries
    .update(revocations)
    .set({ spkiSha256, issuerHash, serial, zones })
    .where(eq(revocations.sha256, row.sha256));
}
