import { canonicalJson, sha256Hex, utf8 } from '@sallyport/bytes';
import { FaultError } from '@sallyport/faults';
import type { AuditRow } from '@sallyport/model';
import { and, asc, eq, gt } from 'drizzle-orm';
import type { Queries } from './database.ts';
import { audit, auditHead } from './tables/index.ts';

export type AuditHead = { readonly sequence: number; readonly hash: string };

const rowsPerStatement = 100;

/** What a change says of itself. `detail` never holds a secret. */
export type AuditEntry = {
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  readonly detail: Record<string, unknown>;
};

/** Hash before the first row. */
export const emptyHash = '0'.repeat(64);

/** SHA-256 over the row's RFC 8785 JSON, the previous hash inside (design section 3). */
export const auditHash = (row: Omit<AuditRow, 'hash'>): string => sha256Hex(utf8(canonicalJson(row)));

export async function readAuditHead(queries: Queries): Promise<AuditHead> {
  const head = await queries.select().from(auditHead).where(eq(auditHead.id, 1)).get();
  return head ? { sequence: head.sequence, hash: head.hash } : { sequence: 0, hash: emptyHash };
}

/**
 * Appends rows in the caller's transaction and moves the head by compare-and-swap.
 * Throws FaultError `database-busy` where another writer moved it first; the transaction is then rolled back.
 */
export async function appendAudit(queries: Queries, entries: readonly AuditEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const start = await readAuditHead(queries);
  let head = start;
  const rows: (typeof audit.$inferInsert)[] = [];
  for (const entry of entries) {
    const row = { sequence: head.sequence + 1, ...entry, previousHash: head.hash };
    const hash = auditHash(row);
    rows.push({ ...row, hash });
    head = { sequence: row.sequence, hash };
  }
  for (let at = 0; at < rows.length; at += rowsPerStatement) {
    await queries.insert(audit).values(rows.slice(at, at + rowsPerStatement));
  }
  const moved = await queries
    .update(auditHead)
    .set(head)
    .where(and(eq(auditHead.id, 1), eq(auditHead.sequence, start.sequence), eq(auditHead.hash, start.hash)));
  if (moved.rowsAffected !== 1)
    throw new FaultError({ code: 'database-busy', detail: 'the audit head moved' });
}

/** Rows after a sequence, oldest first. */
export const listAudit = (queries: Queries, after: number, limit: number): Promise<AuditRow[]> =>
  queries
    .select()
    .from(audit)
    .where(gt(audit.sequence, after))
    .orderBy(asc(audit.sequence))
    .limit(limit)
    .all();

/**
 * Checks a run of rows against each other: sequence without a gap, each hash over its row, each row on the one before.
 *
 * @returns the sequence of the first row that does not fit; nothing where all do
 */
export function firstBrokenRow(rows: readonly AuditRow[], before: AuditHead): number | undefined {
  let head = before;
  for (const { hash, ...row } of rows) {
    if (row.sequence !== head.sequence + 1 || row.previousHash !== head.hash || auditHash(row) !== hash) {
      return row.sequence;
    }
    head = { sequence: row.sequence, hash };
  }
  return undefined;
}
