import { type Bytes, copyOf } from '@sallyport/bytes';
import { and, asc, eq, isNotNull, isNull, lte, or } from 'drizzle-orm';
import type { CertificateRow } from './certificates.ts';
import type { Queries } from './database.ts';
import { certificates, crlChunks, crlFetches, crls } from './tables/index.ts';

/** What is known of a list besides its bytes. */
export type CrlFacts = Omit<typeof crls.$inferSelect, 'der'>;
/** A list, DER. */
export type CrlRow = CrlFacts & { readonly der: Bytes };
/** How the last attempt to fetch a list ended. */
export type CrlFetchRow = typeof crlFetches.$inferSelect;
/** A chunk of serial numbers, by its digest. */
export type CrlChunkName = { readonly ca: string; readonly number: number; readonly sha256: string };

const facts = {
  ca: crls.ca,
  source: crls.source,
  number: crls.number,
  thisUpdate: crls.thisUpdate,
  nextUpdate: crls.nextUpdate,
  entries: crls.entries,
  sha256: crls.sha256,
  storedAt: crls.storedAt,
};

export const findCrlFacts = (queries: Queries, ca: string): Promise<CrlFacts | undefined> =>
  queries.select(facts).from(crls).where(eq(crls.ca, ca)).get();

export const allCrlFacts = (queries: Queries): Promise<CrlFacts[]> => queries.select(facts).from(crls).all();

export async function findCrl(queries: Queries, ca: string): Promise<CrlRow | undefined> {
  const row = await queries.select().from(crls).where(eq(crls.ca, ca)).get();
  return row && { ...row, der: copyOf(row.der) };
}

/** A CA has one list: this one takes the place of the one before, chunks and all. */
export async function saveCrl(
  queries: Queries,
  row: CrlRow,
  chunks: readonly { readonly sha256: string; readonly bytes: Bytes }[],
): Promise<void> {
  const set = { ...row, der: row.der as Uint8Array };
  await queries.insert(crls).values(set).onConflictDoUpdate({ target: crls.ca, set });
  await queries.delete(crlChunks).where(eq(crlChunks.ca, row.ca));
  for (const [number, chunk] of chunks.entries()) {
    await queries.insert(crlChunks).values({ ca: row.ca, number, ...chunk });
  }
}

/** @returns whether there was one */
export async function deleteCrl(queries: Queries, ca: string): Promise<boolean> {
  await queries.delete(crlChunks).where(eq(crlChunks.ca, ca));
  return (await queries.delete(crls).where(eq(crls.ca, ca))).rowsAffected > 0;
}

/** Chunks of all lists, in their order and without their bytes. */
export const allCrlChunks = (queries: Queries): Promise<CrlChunkName[]> =>
  queries
    .select({ ca: crlChunks.ca, number: crlChunks.number, sha256: crlChunks.sha256 })
    .from(crlChunks)
    .orderBy(asc(crlChunks.ca), asc(crlChunks.number))
    .all();

/** Bytes of a chunk; nothing where the list has been replaced by one without it. */
export async function findCrlChunk(queries: Queries, name: CrlChunkName): Promise<Bytes | undefined> {
  const row = await queries
    .select({ bytes: crlChunks.bytes })
    .from(crlChunks)
    .where(and(eq(crlChunks.ca, name.ca), eq(crlChunks.sha256, name.sha256)))
    .limit(1)
    .get();
  return row && copyOf(row.bytes);
}

/** Bytes of all chunks of a CA's list. */
export async function crlChunksOf(queries: Queries, ca: string): Promise<Bytes[]> {
  const rows = await queries
    .select({ bytes: crlChunks.bytes })
    .from(crlChunks)
    .where(eq(crlChunks.ca, ca))
    .orderBy(asc(crlChunks.number))
    .all();
  return rows.map(({ bytes }) => copyOf(bytes));
}

export const findCrlFetch = (queries: Queries, ca: string): Promise<CrlFetchRow | undefined> =>
  queries.select().from(crlFetches).where(eq(crlFetches.ca, ca)).get();

/**
 * CAs whose lists are fetched, and are due.
 *
 * @param now RFC 3339
 */
export async function dueCrlFetches(queries: Queries, now: string, limit: number): Promise<CertificateRow[]> {
  const rows = await queries
    .select({ certificate: certificates })
    .from(certificates)
    .leftJoin(crlFetches, eq(crlFetches.ca, certificates.id))
    .where(
      and(
        eq(certificates.kind, 'trusted'),
        eq(certificates.revocation, 'crl'),
        isNotNull(certificates.crlUrl),
        isNull(certificates.revokedAt),
        or(isNull(crlFetches.ca), lte(crlFetches.nextAt, now)),
      ),
    )
    .orderBy(asc(crlFetches.nextAt))
    .limit(limit)
    .all();
  return rows.map(({ certificate }) => certificate);
}

/**
 * Takes a due fetch upon itself, so that of several processes one goes: whoever else looks before `until` finds it not
 * due.
 *
 * @returns false where somebody else was first
 */
export async function claimCrlFetch(
  queries: Queries,
  ca: string,
  now: string,
  until: string,
): Promise<boolean> {
  const inserted = await queries
    .insert(crlFetches)
    .values({ ca, triedAt: now, nextAt: until, failure: null })
    .onConflictDoNothing();
  if (inserted.rowsAffected > 0) return true;
  const taken = await queries
    .update(crlFetches)
    .set({ triedAt: now, nextAt: until })
    .where(and(eq(crlFetches.ca, ca), lte(crlFetches.nextAt, now)));
  return taken.rowsAffected > 0;
}

export async function saveCrlFetch(queries: Queries, row: CrlFetchRow): Promise<void> {
  await queries.insert(crlFetches).values(row).onConflictDoUpdate({ target: crlFetches.ca, set: row });
}

/** Has the list fetched as if it never was: at once. */
export async function forgetCrlFetch(queries: Queries, ca: string): Promise<void> {
  await queries.delete(crlFetches).where(eq(crlFetches.ca, ca));
}
