import { fromBase64Url, fromUtf8 } from '@sallyport/bytes';
import { FaultError } from '@sallyport/faults';
import type { SnapshotLifetimes } from '@sallyport/model';
import { manifestDigest, resignAfterMs } from '@sallyport/snapshot/publish';
import {
  findPublication,
  findSnapshot,
  findZone,
  newestRoot,
  type PublicationRow,
  readAuditHead,
  replaceTimestamp,
  type SnapshotRow,
} from '@sallyport/store';
import type { Dependencies } from '../dependencies.ts';
import { timestampFor } from './publish.ts';

/** What a zone's nodes should have now. */
export type CurrentDocuments = {
  readonly publication: PublicationRow;
  readonly snapshot: SnapshotRow;
  readonly root: { readonly version: number; readonly envelope: string };
  /** When the timestamp is due to be signed again, in milliseconds since the epoch. */
  readonly resignAt: number;
};

/**
 * The signed documents in force, the timestamp signed anew where a third of its life is over: an unchanged zone makes
 * no new version, and its nodes still know that nothing is withheld from them (design section 5).
 * Throws FaultError `snapshot-unpublished` where there is no version yet.
 */
export async function currentDocuments(deps: Dependencies, zoneId: string): Promise<CurrentDocuments> {
  const { queries } = deps.store;
  const zone = await findZone(queries, zoneId);
  const publication = await findPublication(queries, zoneId);
  const root = await newestRoot(queries);
  const snapshot =
    publication && (await findSnapshot(queries, zoneId, publication.trustEpoch, publication.version));
  if (!zone || !publication || !snapshot || !root) throw new FaultError({ code: 'snapshot-unpublished' });

  const resignAt = publication.issuedAt + resignAfterMs(zone.snapshot);
  const now = deps.now();
  if (now < resignAt && hasLifetimes(publication.timestamp, zone.snapshot)) {
    return { publication, snapshot, root, resignAt };
  }

  // Later than the one it replaces, so that a node that holds that one sees news.
  const issuedAt = Math.max(now, publication.issuedAt + 1);
  const timestamp = await timestampFor(deps, zone, {
    trustEpoch: publication.trustEpoch,
    version: publication.version,
    digest: manifestDigest(snapshot.manifest),
    auditHead: await readAuditHead(queries),
    issuedAt,
  });
  const replaced = await deps.store.record((tx) => replaceTimestamp(tx, publication, timestamp, issuedAt));
  if (!replaced) return currentDocuments(deps, zoneId);
  return {
    publication: { ...publication, timestamp, issuedAt },
    snapshot,
    root,
    resignAt: issuedAt + resignAfterMs(zone.snapshot),
  };
}

/** Was our own timestamp signed for these lifetimes? A zone whose lifetimes were changed gets a new one at once. */
function hasLifetimes(envelope: string, lifetimes: SnapshotLifetimes): boolean {
  const { payload } = JSON.parse(envelope) as { payload: string };
  const { issuedAt, expiresAt, graceUntil } = JSON.parse(fromUtf8(fromBase64Url(payload))) as Record<
    string,
    string
  >;
  const seconds = (from: string | undefined, to: string | undefined) =>
    (Date.parse(to ?? '') - Date.parse(from ?? '')) / 1000;
  return (
    seconds(issuedAt, expiresAt) === lifetimes.timestampSeconds &&
    seconds(expiresAt, graceUntil) === lifetimes.graceSeconds
  );
}
