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

export const findRevocation = (queries: Queries, sha256: string): Promise<RevocationRow | undefined> =>
  queries.select().from(revocations).where(eq(revocations.sha256, sha256)).get();

/**
 * Revoking twice keeps the first time and reason. Of a certificate that was revoked by its digest alone, the key and
 * what lists name it by are learnt when it comes.
 */
export async function insertRevocation(queries: Queries, row: RevocationRow): Promise<void> {
  const { spkiSha256, issuerHash, serial } = row;
  await queries
    .insert(revocations)
    .values(row)
    .onConflictDoUpdate({
      target: revocations.sha256,
      set: { spkiSha256, issuerHash, serial },
      setWhere: eq(revocations.spkiSha256, revocations.sha256),
    });
}
