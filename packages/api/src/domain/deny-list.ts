import { FaultError } from '@sallyport/faults';
import { type DenyEntry, denyEntry, maxDenyEntries, signDenyList } from '@sallyport/snapshot/publish';
import {
  type Change,
  countDenyEntries,
  denyEntriesOf,
  findDenyList,
  findZone,
  insertDenyEntry,
  newestRoot,
  pruneDenyEntries,
  saveDenyList,
  sessionDenyKey,
} from '@sallyport/store';
import type { Dependencies } from '../dependencies.ts';

/** A session is denied for as long as a node may be out of reach and still have it. */
const sessionDenialMs = 86_400_000;

/** What a zone's nodes should deny now. */
export type CurrentDenyList = {
  readonly sequence: number;
  readonly envelope: string;
  /** When it is due to be signed again, in milliseconds since the epoch. */
  readonly resignAt: number;
};

/**
 * Has a session ended by the node that serves it: an entry in its zone's deny list.
 * Throws FaultError `deny-list-full` where the zone's list takes no more.
 *
 * @returns until when the session is denied
 */
export async function denySession(
  change: Change,
  session: { readonly id: string; readonly zone: string },
): Promise<string> {
  const { queries } = change;
  const root = await newestRoot(queries);
  if (!root) throw new FaultError({ code: 'snapshot-unpublished' });
  await pruneDenyEntries(queries, session.zone, change.at);
  if ((await countDenyEntries(queries, session.zone)) >= maxDenyEntries)
    throw new FaultError({ code: 'deny-list-full' });
  const until = new Date(Date.parse(change.at) + sessionDenialMs).toISOString();
  const entry: DenyEntry = { type: 'session', session: session.id, until };
  const row = { zone: session.zone, key: sessionDenyKey(session.id), entry, until };
  await insertDenyEntry(queries, row, root.trustEpoch);
  return until;
}

/**
 * The zone's signed deny list, signed anew where an entry has come, where a third of its life is over, and for a new
 * trust epoch. Of several that sign at once one is stored.
 *
 * @returns nothing where the zone never had an entry
 */
export async function currentDenyList(
  deps: Dependencies,
  zoneId: string,
): Promise<CurrentDenyList | undefined> {
  const held = await findDenyList(deps.store.queries, zoneId);
  const zone = held && (await findZone(deps.store.queries, zoneId));
  const root = held && (await newestRoot(deps.store.queries));
  if (!held || !zone || !root) return undefined;
  const now = deps.now();
  const { trustEpoch } = root;
  const lifeMs = zone.snapshot.timestampSeconds * 1000;
  const resignAt = held.issuedAt + lifeMs / 3;
  const isSigned = held.signedRevision === held.revision && held.trustEpoch === trustEpoch;
  if (isSigned && held.envelope !== null && now < resignAt) {
    return { sequence: held.sequence, envelope: held.envelope, resignAt };
  }
  // Revision and entries of one moment: what comes after it is signed the next time.
  const { before, rows } = await deps.store.read(async (queries) => ({
    before: (await findDenyList(queries, zoneId)) ?? held,
    rows: await denyEntriesOf(queries, zoneId, new Date(now).toISOString()),
  }));
  // It grows with the clock: a database that was set back still signs above what nodes hold.
  const sequence = Math.max(before.sequence + 1, now);
  const entries = rows.map(({ entry }) => denyEntry.parse(entry));
  const envelope = await signDenyList(
    { zone: zoneId, trustEpoch, sequence, entries },
    lifeMs,
    now,
    deps.signers.timestamp,
  );
  const signed = { signedRevision: before.revision, trustEpoch, sequence, envelope, issuedAt: now };
  const saved = await deps.store.record((queries) => saveDenyList(queries, zoneId, before.sequence, signed));
  return saved ? { sequence, envelope, resignAt: now + lifeMs / 3 } : currentDenyList(deps, zoneId);
}

/**
 * Signs a zone's list once and wakes the polls of its nodes. Where signing fails, which goes to the operator's log, the
 * polls try it themselves.
 */
export async function announceDenials(deps: Dependencies, zone: string): Promise<void> {
  try {
    await currentDenyList(deps, zone);
  } catch (error) {
    deps.log(`the deny list of zone ${zone} was not signed`, error);
  }
  deps.feed.announce(zone);
}
