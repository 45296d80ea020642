import type { FaultCode } from '@sallyport/faults';
import type { VirtualPath } from '@sallyport/files';
import type { Session } from '../../session.ts';
import { validatorsOf } from '../conditions.ts';
import { authorityOf, headerValues, type Incoming } from '../exchange.ts';
import { targetOf } from '../target.ts';
import { type ConditionList, parseIf } from './if-header.ts';
import type { LockTable } from './lock-table.ts';

/** Where a path is in the storage, whatever the home of the session: two accounts may share a directory. */
export const lockPathOf = (session: Session, path: VirtualPath): string => {
  const home = `/${session.home ?? `account ${session.account.id}`}`.replace(/\/+/g, '/').replace(/\/$/, '');
  return path === '/' ? home || '/' : home + path;
};

/** What a change touches, and how far it reaches (see `LockTable.covering`). */
export type Touched = { readonly path: VirtualPath; readonly reach: 'self' | 'member' | 'tree' };

/** Keeps changes from what others have locked. */
export interface LockGuard {
  readonly table: LockTable;
  /**
   * Judges a request by its If header and by the locks that it meets: the token of each has to come along, from the
   * account that holds it.
   *
   * @returns nothing, or the refusal: `precondition-failed`, `resource-locked`, `message-malformed`
   */
  refusal(
    request: { readonly incoming: Incoming; readonly session: Session; readonly path: VirtualPath },
    touched: readonly Touched[],
  ): Promise<FaultCode | undefined>;
}

export function createLockGuard(table: LockTable, now: () => number): LockGuard {
  /** Does the list hold for the resource that it is about? */
  async function holds(
    list: ConditionList,
    { incoming, session, path }: Parameters<LockGuard['refusal']>[0],
  ): Promise<boolean> {
    const about = list.tag === undefined ? path : pathOfTag(list.tag, incoming);
    if (about === undefined) return false;
    const tokens = new Set(
      (await table.covering(lockPathOf(session, about), 'self', now())).map(({ token }) => token),
    );
    const needsTag = list.conditions.some(({ kind }) => kind === 'etag');
    const attributes = needsTag ? await session.files.stat(about) : undefined;
    const etag =
      attributes?.ok && !attributes.value.unfinished ? validatorsOf(attributes.value).etag : undefined;
    return list.conditions.every(({ kind, value, expected }) => {
      const is = kind === 'token' ? tokens.has(value) : value === etag;
      return is === (expected === 'holds');
    });
  }

  return {
    table,
    async refusal(request, touched) {
      const [header, ...others] = headerValues(request.incoming, 'if');
      const lists = header === undefined ? [] : parseIf(header);
      if (!lists || others.length > 0) return 'message-malformed';
      if (header !== undefined) {
        let one = false;
        for (const list of lists) one ||= await holds(list, request);
        if (!one) return 'precondition-failed';
      }
      const sent = new Set(
        lists
          .flatMap(({ conditions }) => conditions.filter(({ kind }) => kind === 'token'))
          .map(({ value }) => value),
      );
      for (const { path, reach } of touched) {
        for (const lock of await table.covering(lockPathOf(request.session, path), reach, now())) {
          if (!sent.has(lock.token) || lock.principal !== request.session.account.id)
            return 'resource-locked';
        }
      }
      return undefined;
    },
  };
}

function pathOfTag(tag: string, incoming: Incoming): VirtualPath | undefined {
  const host = /^https?:\/\/([^/?#]*)/i.exec(tag)?.[1];
  if (host !== undefined && host !== authorityOf(incoming)) return undefined;
  const target = targetOf(tag);
  return target.ok ? target.value.path : undefined;
}
