import type { Bytes } from '@sallyport/bytes';
import { type Fault, ok, type Result } from '@sallyport/faults';
import type { PollAnswer } from '@sallyport/model';
import {
  type BlobRef,
  followRoot,
  loadRoot,
  manifestDigest,
  openSnapshot,
  type SnapshotReader,
  type TimestampDocument,
  type TrustedRoot,
  verifyManifest,
  verifyTimestamp,
} from '@sallyport/snapshot/node';
import type { ControlPlane, Held } from './control-plane.ts';
import type { DenyLists } from './deny-list.ts';
import { type InForce, readerOf, readSnapshot } from './disk-snapshot.ts';
import type { NodeIdentity } from './identity.ts';
import type { SnapshotDisk } from './snapshot-disk.ts';

/** What one step of the synchronisation came to. */
export type SyncStep =
  | { readonly kind: 'new-snapshot'; readonly reader: SnapshotReader }
  | { readonly kind: 'renewed' }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'unreachable' }
  | { readonly kind: 'refused'; readonly fault: Fault };

/** Pulls, verifies and persists snapshots and the deny list. It applies nothing: that is its caller's. */
export interface Synchronisation {
  /** What is in force after the last step; nothing before the first snapshot. */
  readonly inForce: InForce | undefined;
  /** Loads and verifies what the disk holds, expired or not; a deny list that fails its check is left out. */
  loadFromDisk(): Promise<Result<SnapshotReader | undefined>>;
  /** Polls once, waiting at most that long for news, and takes in what comes. */
  step(waitSeconds: number, signal: AbortSignal): Promise<SyncStep>;
}

/**
 * The node's side of design section 5, in its order: verify every document before anything of it is used, fetch and
 * check every section, persist (temporary file, fsync, rename), and only then hand it on.
 */
export async function createSynchronisation(
  identity: NodeIdentity,
  disk: SnapshotDisk,
  control: ControlPlane,
  denyLists: DenyLists,
  now: () => number,
): Promise<Synchronisation> {
  const envelope = await disk.readRoot();
  if (envelope === undefined) throw new Error('there is no pinned root; join again with a new join token');
  const pinned = await loadRoot(envelope);
  if (!pinned.ok)
    throw new Error(`the pinned root is damaged: ${pinned.fault.code}; join again with a new join token`);
  let root: TrustedRoot = pinned.value;
  let inForce: InForce | undefined;

  function held(): Held {
    return {
      after: inForce?.applied.version ?? 0,
      epoch: inForce?.applied.trustEpoch ?? 0,
      issuedAt: inForce?.applied.highestIssuedAt ?? 0,
      root: root.document.version,
      deny: denyLists.sequenceUnder(root.document),
    };
  }

  async function persistTimestamp(
    current: InForce,
    envelopeText: string,
    document: TimestampDocument,
  ): Promise<void> {
    const highestIssuedAt = Math.max(current.applied.highestIssuedAt, Date.parse(document.issuedAt));
    const documents = { ...current.documents, timestamp: envelopeText };
    await disk.writeCurrent({ ...documents, highestIssuedAt });
    inForce = { applied: { ...current.applied, highestIssuedAt }, timestamp: document, documents };
  }

  /** From disk first: a blob whose digest is known never has to travel again. */
  async function takeIn(
    manifestText: string,
    timestampText: string,
    timestamp: TimestampDocument,
    signal: AbortSignal,
  ): Promise<SyncStep> {
    const manifest = await verifyManifest(
      root.document,
      identity.zone,
      manifestText,
      timestamp,
      inForce?.applied,
    );
    if (!manifest.ok) return { kind: 'refused', fault: manifest.fault };
    const used = new Map<string, { ref: BlobRef; bytes: Bytes; onDisk: boolean }>();
    const fetchBlob = async (ref: BlobRef): Promise<Bytes | undefined> => {
      const known = used.get(ref.digest);
      if (known) return known.bytes;
      const stored = await disk.readBlob(ref);
      const bytes = stored ?? (await control.section(ref, signal));
      if (bytes) used.set(ref.digest, { ref, bytes, onDisk: stored !== undefined });
      return bytes;
    };
    const opened = await openSnapshot(manifest.value, readerOf(identity), fetchBlob);
    if (!opened.ok) {
      // A blob on disk that fails its check must not stand in the way of a good copy.
      if (opened.fault.code === 'section-digest') await disk.keepOnly(new Set());
      return { kind: 'refused', fault: opened.fault };
    }
    for (const { ref, bytes, onDisk } of used.values()) if (!onDisk) await disk.writeBlob(ref, bytes);
    const highestIssuedAt = Math.max(inForce?.applied.highestIssuedAt ?? 0, Date.parse(timestamp.issuedAt));
    const documents = { manifest: manifestText, timestamp: timestampText };
    await disk.writeCurrent({ ...documents, highestIssuedAt });
    inForce = {
      applied: {
        trustEpoch: manifest.value.trustEpoch,
        version: manifest.value.version,
        manifestDigest: manifestDigest(manifestText),
        highestIssuedAt,
      },
      timestamp,
      documents,
    };
    await disk.keepOnly(new Set(used.keys()));
    return { kind: 'new-snapshot', reader: opened.value };
  }

  async function takeInSnapshot(answer: PollAnswer, signal: AbortSignal): Promise<SyncStep> {
    const timestamp = await verifyTimestamp(
      root.document,
      identity.zone,
      answer.timestamp,
      inForce?.applied,
      now(),
    );
    if (!timestamp.ok) return { kind: 'refused', fault: timestamp.fault };
    if (answer.manifest !== undefined)
      return takeIn(answer.manifest, answer.timestamp, timestamp.value, signal);
    const current = inForce;
    if (!current || timestamp.value.version !== current.applied.version) {
      const detail = 'a newer timestamp came without its manifest';
      return { kind: 'refused', fault: { code: 'snapshot-mix', detail } };
    }
    if (answer.timestamp === current.documents.timestamp) return { kind: 'unchanged' };
    await persistTimestamp(current, answer.timestamp, timestamp.value);
    return { kind: 'renewed' };
  }

  return {
    get inForce() {
      return inForce;
    },

    async loadFromDisk() {
      await denyLists.loadFromDisk(root.document);
      const read = await readSnapshot(root.document, identity, disk);
      if (!read.ok) return read;
      inForce = read.value?.inForce;
      return ok(read.value?.reader);
    },

    async step(waitSeconds, signal) {
      const answer = await control.poll(held(), waitSeconds, signal);
      if (answer === 'unreachable') return { kind: 'unreachable' };
      if (!answer.ok) return { kind: 'refused', fault: answer.fault };
      if (answer.value.root !== undefined) {
        const next = await followRoot(root, answer.value.root);
        if (!next.ok) return { kind: 'refused', fault: next.fault };
        await disk.writeRoot(next.value.envelope);
        root = next.value;
      }
      // What is denied does not wait for sections, nor a snapshot for a list that fails its check.
      const denied =
        answer.value.denyList === undefined
          ? ok(undefined)
          : await denyLists.takeIn(root.document, answer.value.denyList);
      const step = await takeInSnapshot(answer.value, signal);
      return denied.ok || step.kind === 'new-snapshot' ? step : { kind: 'refused', fault: denied.fault };
    },
  };
}
