import { type Bytes, copyOf } from '@sallyport/bytes';
import { and, eq, inArray } from 'drizzle-orm';
import { inPieces } from './chunks.ts';
import type { Queries } from './database.ts';
import { ocspResponses } from './tables/index.ts';

/** What is known of a certificate's OCSP status. */
export type OcspRow = Omit<typeof ocspResponses.$inferSelect, 'response'> & {
  readonly response: Bytes | null;
};

const read = (row: typeof ocspResponses.$inferSelect): OcspRow => ({
  ...row,
  response: row.response && copyOf(row.response),
});

export async function ocspRowsOf(queries: Queries, certificates: readonly string[]): Promise<OcspRow[]> {
  const rows = await inPieces(certificates, (piece) =>
    queries.select().from(ocspResponses).where(inArray(ocspResponses.certificate, piece)).all(),
  );
  return rows.map(read);
}

/** In place of the row before. */
export async function saveOcsp(queries: Queries, row: OcspRow): Promise<void> {
  await queries
    .insert(ocspResponses)
    .values(row)
    .onConflictDoUpdate({ target: ocspResponses.certificate, set: row });
}

/**
 * Takes a due question upon itself, so that of several processes one asks: whoever else looks before `until` finds it
 * not due.
 *
 * @param row what is written where nothing is known of the certificate yet
 * @returns false where somebody else was first
 */
export async function claimOcsp(
  queries: Queries,
  row: OcspRow,
  before: OcspRow | undefined,
  until: string,
): Promise<boolean> {
  if (!before) {
    const inserted = await queries
      .insert(ocspResponses)
      .values({ ...row, nextAt: until })
      .onConflictDoNothing();
    return inserted.rowsAffected > 0;
  }
  const taken = await queries
    .update(ocspResponses)
    .set({ triedAt: row.triedAt, nextAt: until })
    .where(and(eq(ocspResponses.certificate, row.certificate), eq(ocspResponses.triedAt, before.triedAt)));
  return taken.rowsAffected > 0;
}
