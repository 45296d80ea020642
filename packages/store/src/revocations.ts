import { asc, eq } from 'drizzle-orm';
import type { Queries } from './database.ts';
import { revocations } from './tables/index.ts';

export type RevocationRow = typeof revocations.$inferSelect;

export const allRevocations = (queries: Queries): Promise<RevocationRow[]> =>
  queries.select().from(revocations).orderBy(asc(revocations.sha256)).all();

export const findRevokedKey = (queries: Queries, spkiSha256: string): Promise<RevocationRow | undefined> =>
  queries.select().from(revocations).where(eq(revocations.spkiSha256, spkiSha256)).get();

/** Revoking twice keeps the first time. */
export async function insertRevocation(queries: Queries, row: RevocationRow): Promise<void> {
  await queries.insert(revocations).values(row).onConflictDoNothing();
}
