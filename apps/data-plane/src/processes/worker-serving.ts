import { setTimeout as pause } from 'node:timers/promises';
import { type Result, refuse } from '@sallyport/faults';
import { loadRoot, type RootDocument, type SnapshotReader, servingState } from '@sallyport/snapshot/node';
import type { ProcessSlot } from '../adapter.ts';
import { type InForce, readDocuments, readSnapshot } from '../agent/disk-snapshot.ts';
import type { NewEvent } from '../agent/event-spool.ts';
import { loadIdentity, nodePaths } from '../agent/identity.ts';
import { type SnapshotDisk, snapshotDisk } from '../agent/snapshot-disk.ts';
import { startServing } from '../serving.ts';
import type { SharedState } from '../shared-state.ts';
import { buildView } from '../snapshot-view.ts';
import type { AdoptedTicketKeys } from '../tls/ticket-keys.ts';
import type { Work, WorkerApplied } from './work.ts';

export type WorkOptions = {
  readonly home: string;
  readonly filesRoot: string;
  readonly slot: ProcessSlot;
  readonly state: SharedState & { readonly tls: { readonly ticketKeys: AdoptedTicketKeys } };
  readonly now: () => number;
  readonly record: (event: NewEvent) => void;
};

/** The primary may be writing the next snapshot, and taking away the sections of this one, while it is read. */
const readings = 3;
const readAgainMs = 50;

/**
 * What one worker does: it serves the snapshot that the primary has put on the disk, once it has verified it itself.
 * Throws Error where the home has not joined.
 */
export async function startWork(options: WorkOptions): Promise<Work> {
  const { now } = options;
  const paths = nodePaths(options.home);
  const identity = await loadIdentity(paths);
  if (!identity) throw new Error(`${options.home} has not joined a zone`);
  const disk = snapshotDisk(paths);
  let inForce: InForce | undefined;
  const serving = startServing({
    ...options,
    serving: () =>
      inForce ? servingState(inForce.timestamp, now(), inForce.applied.highestIssuedAt) : 'refusing',
  });
  let busy: Promise<unknown> = Promise.resolve();
  /** One after the other: what came later is in force in the end. */
  function inTurn<T>(run: () => Promise<T>): Promise<T> {
    const done = busy.then(run);
    busy = done.catch(() => undefined);
    return done;
  }

  async function readOnce(): Promise<Result<{ inForce: InForce; reader: SnapshotReader }>> {
    const root = await pinnedRoot(disk);
    if (!root.ok) return root;
    const read = await readSnapshot(root.value, identity as NonNullable<typeof identity>, disk);
    if (!read.ok) return read;
    return read.value ? { ok: true, value: read.value } : refuse('section-missing', 'no snapshot');
  }

  async function apply(): Promise<WorkerApplied> {
    let read = await readOnce();
    for (let reading = 1; reading < readings && !read.ok; reading++) {
      await pause(readAgainMs);
      read = await readOnce();
    }
    if (!read.ok) return { kind: 'failed', fault: read.fault.code };
    inForce = read.value.inForce;
    const items = await serving.apply(buildView(read.value.reader));
    return {
      kind: 'applied',
      manifestDigest: inForce.applied.manifestDigest,
      items,
      ports: serving.ports(),
    };
  }

  async function renew(): Promise<void> {
    const root = await pinnedRoot(disk);
    if (!root.ok) return;
    const read = await readDocuments(root.value, (identity as NonNullable<typeof identity>).zone, disk);
    if (!read.ok || !read.value) return;
    // Where the snapshot is another one, it is about to be applied.
    if (read.value.inForce.applied.manifestDigest === inForce?.applied.manifestDigest)
      inForce = read.value.inForce;
  }

  return {
    apply: () => inTurn(apply),
    renew: () => void inTurn(renew),
    endSessions: serving.endSessions,
    adoptTicketSecrets: (secrets) => options.state.tls.ticketKeys.adopt(secrets),
    drain: (graceMs) => inTurn(() => serving.drain(graceMs)),
  };
}

async function pinnedRoot(disk: SnapshotDisk): Promise<Result<RootDocument>> {
  const envelope = await disk.readRoot();
  if (envelope === undefined) return refuse('section-missing', 'no root');
  const root = await loadRoot(envelope);
  return root.ok ? { ok: true, value: root.value.document } : root;
}
