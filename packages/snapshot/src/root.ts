import { type Bytes, fromBase64Url, sha256Hex } from '@sallyport/bytes';
import { ok, type Result, refuse } from '@sallyport/faults';
import { z } from 'zod';
import {
  maxRootBytes,
  maxVersionJump,
  type PublicJwk,
  type RootDocument,
  rootDocument,
} from './documents.ts';
import { keyIdOf, openEnvelope, parseJson, parseJsonBytes, type Quorum } from './envelope.ts';

/** A root that is trusted: pinned at enrolment, or reached from the pinned one by signed steps. */
export type TrustedRoot = { readonly document: RootDocument; readonly envelope: string };

/** Keys and threshold of a role. */
export function quorumOf(root: RootDocument, role: keyof RootDocument['roles']): Quorum {
  const { keys, threshold } = root.roles[role];
  const found = new Map<string, PublicJwk>();
  for (const keyId of keys) {
    const jwk = root.keys[keyId];
    if (jwk) found.set(keyId, jwk);
  }
  return { keys: found, threshold };
}

/** SHA-256 in hex over the root's signed bytes: what a join token carries and an operator compares. */
export function rootFingerprint(envelope: string): Result<string> {
  const payload = unverifiedPayload(envelope);
  return payload.ok ? ok(sha256Hex(payload.value)) : payload;
}

function unverifiedPayload(envelope: string): Result<Bytes> {
  if (envelope.length > maxRootBytes) return refuse('snapshot-oversize');
  const outer = parseJson(envelope, z.looseObject({ payload: z.string() }));
  if (!outer.ok) return refuse('snapshot-envelope');
  try {
    return ok(fromBase64Url(outer.value.payload));
  } catch {
    return refuse('snapshot-envelope');
  }
}

async function selfSigned(envelope: string): Promise<Result<RootDocument>> {
  const payload = unverifiedPayload(envelope);
  if (!payload.ok) return payload;
  const claimed = parseJsonBytes(payload.value, rootDocument);
  if (!claimed.ok) return claimed;
  for (const [keyId, jwk] of Object.entries(claimed.value.keys)) {
    if ((await keyIdOf(jwk)) !== keyId)
      return refuse('snapshot-malformed', 'a key is not filed under its own id');
  }
  const opened = await openEnvelope(
    envelope,
    'sallyport-root',
    quorumOf(claimed.value, 'root'),
    maxRootBytes,
  );
  return opened.ok ? claimed : opened;
}

/**
 * Pins the first root: its signed bytes must have the fingerprint that came over another way (the join token),
 * and it must be signed by its own root keys.
 *
 * @returns the trusted root; `root-mismatch`, or a fault of the envelope
 */
export async function pinRoot(envelope: string, fingerprint: string): Promise<Result<TrustedRoot>> {
  const actual = rootFingerprint(envelope);
  if (!actual.ok) return actual;
  if (actual.value !== fingerprint) return refuse('root-mismatch');
  return loadRoot(envelope);
}

/** Reads a root that was trusted when it was written to disk: its own signatures are checked again. */
export async function loadRoot(envelope: string): Promise<Result<TrustedRoot>> {
  const document = await selfSigned(envelope);
  return document.ok ? ok({ document: document.value, envelope }) : document;
}

/**
 * Steps to the next root: signed by the trusted root's keys and by its own (TUF 5.3.4), exactly one version on
 * (5.3.5), with a trust epoch that never falls.
 */
export async function followRoot(trusted: TrustedRoot, envelope: string): Promise<Result<TrustedRoot>> {
  const byOld = await openEnvelope(
    envelope,
    'sallyport-root',
    quorumOf(trusted.document, 'root'),
    maxRootBytes,
  );
  if (!byOld.ok) return byOld.fault.code === 'snapshot-signer' ? refuse('root-signer') : byOld;
  const next = await selfSigned(envelope);
  if (!next.ok) return next.fault.code === 'snapshot-signer' ? refuse('root-signer') : next;
  if (next.value.version !== trusted.document.version + 1) {
    return refuse(
      'root-rollback',
      `version ${next.value.version} does not follow ${trusted.document.version}`,
    );
  }
  if (
    next.value.trustEpoch < trusted.document.trustEpoch ||
    next.value.trustEpoch > trusted.document.trustEpoch + maxVersionJump
  ) {
    return refuse('root-rollback', 'the trust epoch falls or jumps');
  }
  return ok({ document: next.value, envelope });
}
