import { FaultError } from '@sallyport/faults';
import {
  type Event,
  type LockoutCounter,
  type LockoutTarget,
  lockoutTarget,
  normalizedName,
} from '@sallyport/model';
import { type DenyEntry, denyEntry } from '@sallyport/snapshot/publish';
import {
  type Change,
  countDenyEntries,
  countLockouts,
  countLockoutsBy,
  deleteLockout,
  denyEntriesKeyed,
  findAccountsKeyed,
  insertDenyEntries,
  insertDenyEntry,
  type LockoutRow,
  newestRoot,
  pruneDenyEntries,
  pruneLockouts,
  type Queries,
  saveLockouts,
} from '@sallyport/store';

/** Longest that a node can have anybody locked out. */
export const longestLockoutMs = 86_400_000;
/** Lock-outs that one node may tell of in a minute. */
const lockoutsPerMinute = 60;
/** Of these, names with their sources take half: anybody can invent as many as he likes. */
const leftForOthers = lockoutsPerMinute / 2;

/**
 * Places of each kind in a zone's deny list. A flood of invented names fills its own and no more: sources and accounts
 * keep theirs, and sessions that are to end keep what is left of the list.
 */
const placesOf: Readonly<Record<LockoutCounter, number>> = {
  source: 4_000,
  account: 2_000,
  'account-source': 2_000,
};
/** All of these together with what was unlocked, which stays in the list for a day. */
const placesOfLockouts = 8_000;

/** Those who are told of together are taken in this order. */
const order: readonly LockoutCounter[] = ['account', 'source', 'account-source'];

/** As many as are left in this minute, of invented names with their sources only the first half. */
function withinBudget(told: readonly Told[], left: number): Told[] {
  const heard: Told[] = [];
  for (const one of order.flatMap((counter) => told.filter(({ target }) => target.counter === counter))) {
    const floor = one.target.counter === 'account-source' ? leftForOthers : 0;
    if (left - heard.length > floor) heard.push(one);
  }
  return heard;
}

/** Key of a target's entry in the deny list: its block, and after an unlock that. */
export function lockoutDenyKey(target: LockoutTarget): string {
  const { counter, account, source } = { account: '', source: '', ...target };
  return `lockout:${JSON.stringify([counter, account, source])}`;
}

/** Whom a node has locked out, until when, and when it told so; times in milliseconds. */
type Told = { readonly target: LockoutTarget; readonly until: number; readonly at: number };

/** What a node's event says; nothing where it says something else. */
function toldBy({ at, reason, account, source, detail }: Event): Told[] {
  const target = lockoutTarget.safeParse({
    counter: reason,
    ...(account === undefined ? {} : { account }),
    ...(source === undefined ? {} : { source }),
  });
  const until = Date.parse(String(detail?.until));
  return target.success && !Number.isNaN(until) ? [{ target: target.data, until, at: Date.parse(at) }] : [];
}

/**
 * Takes the lock-outs among a node's events into its zone's deny list, where the other nodes find them. A node can lock
 * out nobody in another zone, only so many in a minute, none for longer than a day, and whoever is locked out as an
 * account must be one of its zone. However many they are, it is a handful of queries.
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
  const told = events.filter(({ kind }) => kind === 'lockout').flatMap(toldBy);
  const current = told.filter(({ until }) => until > now);
  const root = current.length > 0 ? await newestRoot(queries) : undefined;
  if (!root) return false;
  const at = new Date(now).toISOString();
  const aMinuteAgo = new Date(now - 60_000).toISOString();
  const left = lockoutsPerMinute - (await countLockoutsBy(queries, node.id, aMinuteAgo));
  if (left <= 0) return false;
  await pruneDenyEntries(queries, node.zone, at);
  await pruneLockouts(queries, node.zone, at);
  const heard = withinBudget(current, left);
  const taken = admitted(heard, await standingOf(queries, node.zone, heard));

  const rows = [...taken].map(([key, { target, until }]) => {
    const ends = new Date(Math.min(until, now + longestLockoutMs)).toISOString();
    const { counter, ...whom } = target;
    const row: LockoutRow = {
      ...{ id: newId(), zone: node.zone, key, counter, account: null, source: null },
      ...whom,
      ...{ node: node.id, since: at, until: ends },
    };
    const entry = { type: counter, ...whom, until: ends } as DenyEntry;
    return { row, denied: { zone: node.zone, key, entry, until: ends } };
  });
  await saveLockouts(
    queries,
    rows.map(({ row }) => row),
  );
  const denied = rows.map((one) => one.denied);
  await insertDenyEntries(queries, node.zone, denied, root.trustEpoch);
  return rows.length > 0;
}

/** What a zone's list holds that matters to these. */
type Standing = {
  readonly entries: ReadonlyMap<string, DenyEntry>;
  readonly accounts: ReadonlySet<string>;
  readonly held: ReadonlyMap<LockoutCounter, number>;
  readonly free: number;
};

const nameKeyOf = (account: string): string => normalizedName(account, 'lower');
const wholeSource = (source: string): string => lockoutDenyKey({ counter: 'source', source });

async function standingOf(queries: Queries, zone: string, told: readonly Told[]): Promise<Standing> {
  const keys = told.flatMap(({ target }) => [
    lockoutDenyKey(target),
    ...(target.counter === 'account-source' ? [wholeSource(target.source)] : []),
  ]);
  const names = told.flatMap(({ target }) =>
    target.counter === 'account' ? [nameKeyOf(target.account)] : [],
  );
  const accounts = await findAccountsKeyed(queries, names);
  const rows = await denyEntriesKeyed(queries, zone, [...new Set(keys)]);
  return {
    entries: new Map(rows.map(({ key, entry }) => [key, denyEntry.parse(entry)])),
    accounts: new Set(accounts.filter(({ zones }) => zones.includes(zone)).map(({ nameKey }) => nameKey)),
    held: await countLockouts(queries, zone),
    free: placesOfLockouts - (await countDenyEntries(queries, zone)),
  };
}

/** Those that get a place or have one, by their keys; of several of one key the one that lasts longest. */
function admitted(told: readonly Told[], { entries, accounts, held, free }: Standing): Map<string, Told> {
  const taken = new Map<string, Told>();
  const added = new Map<LockoutCounter, number>();
  let places = free;
  for (const one of told) {
    const { target } = one;
    const { counter } = target;
    const key = lockoutDenyKey(target);
    const entry = entries.get(key);
    if (counter === 'account' && !accounts.has(nameKeyOf(target.account))) continue;
    // What was told before an operator unlocked it was on its way for long.
    if (entry?.type === 'unlock' && Date.parse(entry.at) >= one.at) continue;
    const before = taken.get(key)?.until ?? (entry && entry.type !== 'unlock' ? Date.parse(entry.until) : 0);
    if (!entry && !taken.has(key)) {
      const own = (held.get(counter) ?? 0) + (added.get(counter) ?? 0);
      if (places <= 0 || own >= placesOf[counter]) continue;
      if (counter === 'account-source' && isBlocked(wholeSource(target.source), entries, taken)) continue;
      added.set(counter, (added.get(counter) ?? 0) + 1);
      places--;
    }
    taken.set(key, { ...one, until: Math.max(one.until, before) });
  }
  return taken;
}

const isBlocked = (
  key: string,
  entries: ReadonlyMap<string, DenyEntry>,
  taken: ReadonlyMap<string, Told>,
): boolean => taken.has(key) || entries.get(key)?.type === 'source';

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
