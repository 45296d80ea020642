import { asc, eq, inArray } from 'drizzle-orm';
import { inPieces } from './chunks.ts';
import type { Queries } from './database.ts';
import { revocations } from './tables/index.ts';

export type RevocationRow = typeof revocations.$inferSelect;

export const allRevocations = (queries: Queries): Promise<RevocationRow[]> =>
  queries.select().from(revocations).orderBy(asc(revocations.sha256)).all();

export const findRevokedKey = (queries: Queries, spkiSha256: string): Promise<RevocationRow | undefined> =>
  queries.select().from(revocations).where(eq(revocations.spkiSha256, spkiSha256)).get();

/** Which of the keys were revoked. */
export const revokedKeys = (queries: Queries, spkiSha256s: readonly string[]): Promise<RevocationRow[]> =>
  inPieces(spkiSha256s, (piece) =>
    queries.select().from(revocations).where(inArray(revocations.spkiSha256, piece)).all(),
  );

/** Revoking twice keeps the first time. */
export async function insertRevocation(queries: Queries, row: RevocationRow): Promise<void> {
  await queries.insert(revocations).values(row).onConflictDoNothing();
}
