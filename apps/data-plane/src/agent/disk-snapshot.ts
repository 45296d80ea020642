import { ok, type Result } from '@sallyport/faults';
import {
  type Applied,
  type ManifestDocument,
  manifestDigest,
  nodeIndexKey,
  openSnapshot,
  type RootDocument,
  type SnapshotReader,
  type TimestampDocument,
  verifyManifest,
  verifyTimestamp,
} from '@sallyport/snapshot/node';
import type { NodeIdentity } from './identity.ts';
import { rememberedBlobs } from './remembered-blobs.ts';
import type { SnapshotDisk } from './snapshot-disk.ts';

/** The snapshot in force: what was verified, and the timestamp that says until when it is good. */
export type InForce = {
  readonly applied: Applied;
  readonly timestamp: TimestampDocument;
  readonly documents: { readonly manifest: string; readonly timestamp: string };
};

/** What opens the envelope that is sealed to this node. */
export const readerOf = (identity: Pick<NodeIdentity, 'node' | 'sealingPrivateKey'>) => ({
  node: identity.node,
  nodeKey: nodeIndexKey(identity.node),
  sealingPrivateKey: identity.sealingPrivateKey,
});

/**
 * Reads the signed documents that the disk holds and verifies them, expired or not.
 *
 * @returns nothing where there are none; the first check's fault
 */
export async function readDocuments(
  root: RootDocument,
  zone: string,
  disk: Pick<SnapshotDisk, 'readCurrent'>,
): Promise<Result<{ readonly inForce: InForce; readonly manifest: ManifestDocument } | undefined>> {
  const current = await disk.readCurrent();
  if (!current) return ok(undefined);
  const timestamp = await verifyTimestamp(root, zone, current.timestamp, undefined, 'from-disk');
  if (!timestamp.ok) return timestamp;
  const manifest = await verifyManifest(root, zone, current.manifest, timestamp.value, undefined);
  if (!manifest.ok) return manifest;
  return ok({
    manifest: manifest.value,
    inForce: {
      applied: {
        trustEpoch: manifest.value.trustEpoch,
        version: manifest.value.version,
        manifestDigest: manifestDigest(current.manifest),
        highestIssuedAt: Math.max(current.highestIssuedAt, Date.parse(timestamp.value.issuedAt)),
      },
      timestamp: timestamp.value,
      documents: { manifest: current.manifest, timestamp: current.timestamp },
    },
  });
}

/** Reads and verifies the whole snapshot that the disk holds, every section of it. */
export async function readSnapshot(
  root: RootDocument,
  identity: Pick<NodeIdentity, 'node' | 'zone' | 'sealingPrivateKey'>,
  disk: Pick<SnapshotDisk, 'readCurrent' | 'readBlob'>,
): Promise<Result<{ readonly inForce: InForce; readonly reader: SnapshotReader } | undefined>> {
  const documents = await readDocuments(root, identity.zone, disk);
  if (!documents.ok) return documents;
  if (!documents.value) return ok(undefined);
  const { inForce, manifest } = documents.value;
  const opened = await openSnapshot(manifest, readerOf(identity), rememberedBlobs(disk));
  return opened.ok ? ok({ inForce, reader: opened.value }) : opened;
}
