import { sha256Hex, utf8 } from '@sallyport/bytes';
import { ok, type Result, refuse } from '@sallyport/faults';
import type { ServingState } from '@sallyport/model';
import { z } from 'zod';
import {
  type ManifestDocument,
  manifestDocument,
  maxManifestBytes,
  maxTimestampBytes,
  maxVersionJump,
  type RootDocument,
  type TimestampDocument,
  timestampDocument,
} from './documents.ts';
import { type DocumentType, openEnvelope, parseJsonBytes } from './envelope.ts';
import { quorumOf } from './root.ts';

/** The snapshot that a node runs now: what a newer one is measured against. */
export type Applied = {
  readonly trustEpoch: number;
  readonly version: number;
  /** SHA-256 of the stored manifest. */
  readonly manifestDigest: string;
  /** Highest `issuedAt` of any timestamp seen, in milliseconds: time is never judged earlier than this. */
  readonly highestIssuedAt: number;
};

const schemaName = z.looseObject({ schema: z.string().max(100) });

type Signed = { schema: string; zone: string; trustEpoch: number; version: number };

async function openDocument<T extends Signed>(
  root: RootDocument,
  zone: string,
  envelope: string,
  kind: {
    type: DocumentType;
    role: 'snapshot' | 'timestamp';
    maxBytes: number;
    schema: z.ZodType<T>;
    name: string;
  },
  applied: Applied | undefined,
): Promise<Result<T>> {
  const payload = await openEnvelope(envelope, kind.type, quorumOf(root, kind.role), kind.maxBytes);
  if (!payload.ok) return payload;
  const document = parseJsonBytes(payload.value, kind.schema);
  if (!document.ok) {
    const named = parseJsonBytes(payload.value, schemaName);
    return named.ok && named.value.schema !== kind.name
      ? refuse('snapshot-schema', `schema ${named.value.schema}`)
      : document;
  }
  const value = document.value;
  if (value.zone !== zone) return refuse('snapshot-zone', `for zone ${value.zone}`);
  const epochFloor = applied?.trustEpoch ?? root.trustEpoch;
  if (value.trustEpoch < epochFloor || value.trustEpoch !== root.trustEpoch) {
    return refuse('snapshot-rollback', `trust epoch ${value.trustEpoch}, root has ${root.trustEpoch}`);
  }
  // Versions compare within one trust epoch: a new epoch starts them afresh.
  if (applied && applied.trustEpoch === value.trustEpoch) {
    if (value.version < applied.version) {
      return refuse('snapshot-rollback', `version ${value.version} is below the applied ${applied.version}`);
    }
    if (value.version > applied.version + maxVersionJump) {
      return refuse('snapshot-jump', `version ${value.version} is too far above ${applied.version}`);
    }
  }
  return ok(value);
}

/**
 * Verifies a timestamp in the order of design section 5: size, envelope, current signer, parse, schema, zone,
 * trust epoch and version, and that it has not expired.
 *
 * @param receivedAt the node's clock in milliseconds; `from-disk` leaves expiry to `servingState`
 * @returns the timestamp, or the first check's fault
 */
export async function verifyTimestamp(
  root: RootDocument,
  zone: string,
  envelope: string,
  applied: Applied | undefined,
  receivedAt: number | 'from-disk',
): Promise<Result<TimestampDocument>> {
  const opened = await openDocument(
    root,
    zone,
    envelope,
    {
      type: 'sallyport-timestamp',
      role: 'timestamp',
      maxBytes: maxTimestampBytes,
      schema: timestampDocument,
      name: 'sallyport/timestamp/1',
    },
    applied,
  );
  if (!opened.ok) return opened;
  const timestamp = opened.value;
  if (
    applied &&
    applied.trustEpoch === timestamp.trustEpoch &&
    applied.version === timestamp.version &&
    applied.manifestDigest !== timestamp.manifest
  ) {
    return refuse('snapshot-equivocation', `version ${timestamp.version} has another manifest`);
  }
  if (receivedAt !== 'from-disk') {
    if (applied && Date.parse(timestamp.issuedAt) < applied.highestIssuedAt) {
      return refuse('snapshot-rollback', 'the timestamp is older than one already seen');
    }
    const now = Math.max(receivedAt, applied?.highestIssuedAt ?? 0);
    if (Date.parse(timestamp.expiresAt) <= now) return refuse('snapshot-expired', timestamp.expiresAt);
  }
  return ok(timestamp);
}

/**
 * Verifies the manifest that a verified timestamp names, in the same order, and that it is that one.
 *
 * @returns the manifest, or the first check's fault; `snapshot-mix` where it is not the timestamp's
 */
export async function verifyManifest(
  root: RootDocument,
  zone: string,
  envelope: string,
  timestamp: TimestampDocument,
  applied: Applied | undefined,
): Promise<Result<ManifestDocument>> {
  const opened = await openDocument(
    root,
    zone,
    envelope,
    {
      type: 'sallyport-manifest',
      role: 'snapshot',
      maxBytes: maxManifestBytes,
      schema: manifestDocument,
      name: 'sallyport/manifest/1',
    },
    applied,
  );
  if (!opened.ok) return opened;
  const manifest = opened.value;
  const digest = manifestDigest(envelope);
  if (
    applied &&
    applied.trustEpoch === manifest.trustEpoch &&
    applied.version === manifest.version &&
    applied.manifestDigest !== digest
  ) {
    return refuse('snapshot-equivocation', `version ${manifest.version} came with other bytes`);
  }
  if (digest !== timestamp.manifest || manifest.version !== timestamp.version) {
    return refuse('snapshot-mix', `manifest ${manifest.version}, timestamp ${timestamp.version}`);
  }
  return opened;
}

/** SHA-256 in hex of a manifest as it is stored and sent. */
export const manifestDigest = (envelope: string): string => sha256Hex(utf8(envelope));

/**
 * How good the held timestamp is now. `stale`: still good, but a re-signing (each third of its life) was missed;
 * `grace`: expired, logins go on with an alarm; `refusing`: no login any more.
 *
 * @param now the node's clock in milliseconds; taken as `highestIssuedAt` where it is earlier
 */
export function servingState(
  timestamp: TimestampDocument,
  now: number,
  highestIssuedAt: number,
): ServingState {
  const at = Math.max(now, highestIssuedAt);
  const issued = Date.parse(timestamp.issuedAt);
  const expires = Date.parse(timestamp.expiresAt);
  if (at >= Date.parse(timestamp.graceUntil)) return 'refusing';
  if (at >= expires) return 'grace';
  return at >= issued + ((expires - issued) * 2) / 3 ? 'stale' : 'serving';
}
