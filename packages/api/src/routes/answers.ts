import { FaultError, ok, type Result } from '@sallyport/faults';
import { id } from '@sallyport/model';
import type { Change, Page } from '@sallyport/store';
import { z } from 'zod';
import { actorOf, type Caller, reachOf } from '../caller.ts';
import type { Dependencies } from '../dependencies.ts';
import { publishTouched } from '../domain/publish.ts';
import type { Answer } from '../operation.ts';

export const idParams = z.strictObject({ id });

/** `limit` and `cursor` of a list. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: z.string().max(64).optional(),
};

/** The part of a list that a request asks for, with one row too many: it tells whether more follow. */
export const asked = (query: { limit: number; cursor?: string | undefined }, caller: Caller): Page => ({
  after: query.cursor ?? '',
  limit: query.limit + 1,
  reach: reachOf(caller),
});

/** A page of a list; `nextCursor` is there while more rows follow. */
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.strictObject({ items: z.array(item), nextCursor: z.string().optional() });

/** Cuts a list that was read with one row too many into a page. */
export function page<T>(rows: readonly T[], limit: number, cursorOf: (row: T) => string) {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return rows.length > limit && last !== undefined ? { items, nextCursor: cursorOf(last) } : { items };
}

/** The number of the change that an answer speaks of: with it `propagation` tells which nodes run it. */
export const changed = { changeSequence: z.int() };

export const changeAnswer = z.strictObject(changed);

/**
 * Runs a change for a caller and publishes the zones it touched after the commit, without making the caller wait.
 *
 * @returns what `work` made and the change's sequence, or the refusal that rolled it back
 */
export async function commit<T>(
  deps: Dependencies,
  caller: Caller,
  work: (change: Change) => Promise<T>,
): Promise<Result<{ value: T; changeSequence: number }>> {
  const committed = await deps.store.change(actorOf(caller), work);
  if (!committed.ok) return committed;
  const { value, changeSequence, touched } = committed.value;
  if (touched.length > 0) deps.defer(() => publishTouched(deps, touched));
  return ok({ value, changeSequence });
}

/** A change that answers its resource with the change sequence beside it. */
export async function commitResource<T extends { readonly version: number }>(
  deps: Dependencies,
  caller: Caller,
  work: (change: Change) => Promise<T>,
): Promise<Result<Answer<T & { changeSequence: number }>>> {
  const committed = await commit(deps, caller, work);
  if (!committed.ok) return committed;
  const { value, changeSequence } = committed.value;
  return ok({ body: { ...value, changeSequence }, version: value.version });
}

/** The row, or FaultError `not-found`. */
export function found<T>(row: T | undefined, what: string): T {
  if (row === undefined) throw new FaultError({ code: 'not-found', detail: `there is no such ${what}` });
  return row;
}

/** Throws FaultError `precondition-failed` where a versioned write met another version. */
export function requireWritten(written: boolean): void {
  if (!written) throw new FaultError({ code: 'precondition-failed' });
}

/** Throws FaultError `precondition-failed` where the row is not at the version the caller read. */
export function requireVersion(row: { readonly version: number }, expected: number): void {
  requireWritten(row.version === expected);
}
