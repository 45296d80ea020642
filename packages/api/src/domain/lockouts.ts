import { FaultError } from '@sallyport/faults';
import {
  type Event,
  type LockoutCounter,
  type LockoutTarget,
  lockoutTarget,
  normalizedName,
} from '@sallyport/model';
import { type DenyEntry, maxDenyEntries } from '@sallyport/snapshot/publish';
import {
  type Change,
  countDenyEntries,
  countLockouts,
  countLockoutsBy,
  deleteLockout,
  findAccountKeyed,
  findDenyEntry,
  findLockoutKeyed,
  insertDenyEntry,
  type LockoutRow,
  newestRoot,
  pruneDenyEntries,
  pruneLockouts,
  type Queries,
  saveLockout,
} from '@sallyport/store';

/** Longest that a node can have anybody locked out. */
export const longestLockoutMs = 86_400_000;
/** Lock-outs that one node may tell of in a minute. */
const lockoutsPerMinute = 60;

/**
 * Places of each kind in a zone's deny list. A flood of invented names fills its own and no more: sources and accounts
 * keep theirs, and sessions that are to end keep what is left of the list.
 */
const places: Readonly<Record<LockoutCounter, number>> = {
  source: 4_000,
  account: 2_000,
  'account-source': 2_000,
};

/** Key of a target's entry in the deny list: its block, and after an unlock that. */
export function lockoutDenyKey(target: LockoutTarget): string {
  const { counter, account, source } = { account: '', source: '', ...target };
  return `lockout:${JSON.stringify([counter, account, source])}`;
}

/** What a node's event says of whom it has locked out, and until when in milliseconds. */
function toldBy({
  reason,
  account,
  source,
  detail,
}: Event): { target: LockoutTarget; until: number } | undefined {
  const target = lockoutTarget.safeParse({
    counter: reason,
    ...(account === undefined ? {} : { account }),
    ...(source === undefined ? {} : { source }),
  });
  const until = Date.parse(String(detail?.until));
  return target.success && !Number.isNaN(until) ? { target: target.data, until } : undefined;
}

/**
 * Takes the lock-outs among a node's events into its zone's deny list, where the other nodes find them. A node can lock
 * out nobody in another zone, only so many in a minute, none for longer than a day, and whoever is locked out as an
 * account must be one of its zone.
 *
 * @param now milliseconds since the epoch
 * @returns whether the list has changed
 */
export async function keepLockouts(
  queries: Queries,
  node: { readonly id: string; readonly zone: string },
  events: readonly Event[],
  now: number,
  newId: () => string,
): Promise<boolean> {
  const told = events.filter(({ kind }) => kind === 'lockout');
  const root = told.length > 0 ? await newestRoot(queries) : undefined;
  if (!root) return false;
  const at = new Date(now).toISOString();
  await pruneDenyEntries(queries, node.zone, at);
  await pruneLockouts(queries, node.zone, at);
  let left =
    lockoutsPerMinute - (await countLockoutsBy(queries, node.id, new Date(now - 60_000).toISOString()));
  let changed = false;
  for (const event of told) {
    const lockout = toldBy(event);
    if (!lockout || lockout.until <= now) continue;
    if (left-- <= 0) break;
    const { target } = lockout;
    const key = lockoutDenyKey(target);
    if (!(await admits(queries, node.zone, target, key, event.at))) continue;
    const held = await findLockoutKeyed(queries, node.zone, key);
    const ends = Math.min(Math.max(lockout.until, Date.parse(held?.until ?? at)), now + longestLockoutMs);
    const until = new Date(ends).toISOString();
    const { counter, ...whom } = target;
    await saveLockout(queries, {
      id: newId(),
      zone: node.zone,
      key,
      counter,
      account: null,
      source: null,
      ...whom,
      node: node.id,
      since: at,
      until,
    });
    const entry = { type: counter, ...whom, until } as DenyEntry;
    await insertDenyEntry(queries, { zone: node.zone, key, entry, until }, root.trustEpoch);
    changed = true;
  }
  return changed;
}

/** May the target have a place in the list, or has it one? */
async function admits(
  queries: Queries,
  zone: string,
  target: LockoutTarget,
  key: string,
  toldAt: string,
): Promise<boolean> {
  if (target.counter === 'account') {
    const account = await findAccountKeyed(queries, normalizedName(target.account, 'lower'));
    if (!account?.zones.includes(zone)) return false;
  }
  const entry = (await findDenyEntry(queries, zone, key))?.entry;
  // What was told before an operator unlocked it was on its way for long.
  if (entry?.type === 'unlock') return unlockedAt(entry) < Date.parse(toldAt);
  if (entry) return true;
  if (target.counter === 'account-source') {
    const whole = lockoutDenyKey({ counter: 'source', source: target.source });
    if (await findLockoutKeyed(queries, zone, whole)) return false;
  }
  return (
    (await countLockouts(queries, zone, target.counter)) < places[target.counter] &&
    (await countDenyEntries(queries, zone)) < maxDenyEntries
  );
}

const unlockedAt = (entry: object): number =>
  'at' in entry && typeof entry.at === 'string' ? Date.parse(entry.at) : 0;

/**
 * Unlocks: the entry in the deny list becomes one that has every node of the zone forget the block that it may have
 * counted itself. It stays as long as any such block can last.
 * Throws FaultError `snapshot-unpublished` where the installation has no root.
 */
export async function endLockout(change: Change, row: LockoutRow): Promise<void> {
  const { queries, at } = change;
  const root = await newestRoot(queries);
  if (!root) throw new FaultError({ code: 'snapshot-unpublished' });
  const target = targetOf(row);
  const until = new Date(Date.parse(at) + longestLockoutMs).toISOString();
  const entry: DenyEntry = { type: 'unlock', target, at, until };
  await deleteLockout(queries, row.id);
  await insertDenyEntry(queries, { zone: row.zone, key: row.key, entry, until }, root.trustEpoch);
}

const targetOf = ({ counter, account, source }: LockoutRow): LockoutTarget =>
  lockoutTarget.parse({
    counter,
    ...(account === null ? {} : { account }),
    ...(source === null ? {} : { source }),
  });
