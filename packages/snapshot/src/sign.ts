import type { SnapshotLifetimes } from '@sallyport/model';
import type { ManifestDocument, RootDocument, TimestampDocument } from './documents.ts';
import { type Signer, signEnvelope } from './envelope.ts';

/** Signs a root with its own keys and, on a rotation, with those of the root before it. */
export const signRoot = (document: RootDocument, signers: readonly Signer[]): Promise<string> =>
  signEnvelope('sallyport-root', document, signers);

/** Signs a manifest with the snapshot keys. */
export const signManifest = (document: ManifestDocument, signers: readonly Signer[]): Promise<string> =>
  signEnvelope('sallyport-manifest', document, signers);

/** Signs a timestamp for a manifest, good from `now` (milliseconds) for the zone's lifetimes. */
export function signTimestamp(
  facts: Pick<TimestampDocument, 'zone' | 'trustEpoch' | 'version' | 'manifest' | 'auditHead'>,
  lifetimes: SnapshotLifetimes,
  now: number,
  signers: readonly Signer[],
): Promise<string> {
  const expires = now + lifetimes.timestampSeconds * 1000;
  const document: TimestampDocument = {
    schema: 'sallyport/timestamp/1',
    zone: facts.zone,
    trustEpoch: facts.trustEpoch,
    version: facts.version,
    manifest: facts.manifest,
    issuedAt: new Date(now).toISOString(),
    expiresAt: new Date(expires).toISOString(),
    graceUntil: new Date(expires + lifetimes.graceSeconds * 1000).toISOString(),
    auditHead: facts.auditHead,
  };
  return signEnvelope('sallyport-timestamp', document, signers);
}

/** A timestamp is signed again after each third of its life (design section 5). */
export const resignAfterMs = (lifetimes: SnapshotLifetimes): number =>
  (lifetimes.timestampSeconds * 1000) / 3;
