import { ok, type Result, refuse } from '@sallyport/faults';
import { lockoutTarget, time } from '@sallyport/model';
import { z } from 'zod';
import type { RootDocument } from './documents.ts';
import { openEnvelope, parseJsonBytes, type Signer, signEnvelope } from './envelope.ts';
import { quorumOf } from './root.ts';

const account = z.string().min(1).max(80);
const source = z.string().min(1).max(64);

/**
 * What is denied until a time: a session goes on no more, a password is taken no more. `unlock` denies nothing: a node
 * that has blocked its target by itself forgets that, once, when it first sees the entry.
 */
export const denyEntry = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('session'), session: z.string().min(1).max(64), until: time }),
  /** Passwords of an account, by its login name, wherever they come from. */
  z.strictObject({ type: z.literal('account'), account, until: time }),
  /** Passwords from an address. */
  z.strictObject({ type: z.literal('source'), source, until: time }),
  z.strictObject({ type: z.literal('account-source'), account, source, until: time }),
  z.strictObject({ type: z.literal('unlock'), target: lockoutTarget, at: time, until: time }),
]);
export type DenyEntry = z.infer<typeof denyEntry>;

export const maxDenyEntries = 10_000;

/** Largest envelope of a deny list that is looked at: 10,000 entries of the longest kind, in base64url. */
export const maxDenyListBytes = 4_194_304;

/** What a zone's nodes refuse or end beside their snapshot (design section 5). It can permit nothing. */
export const denyListDocument = z.strictObject({
  schema: z.literal('sallyport/deny-list/1'),
  zone: z.string(),
  /** Sequences compare within one trust epoch, as versions do. */
  trustEpoch: z.int().min(1),
  sequence: z.int().min(1),
  issuedAt: time,
  expiresAt: time,
  entries: z.array(denyEntry).max(maxDenyEntries),
});
export type DenyListDocument = z.infer<typeof denyListDocument>;

/** Signs a zone's deny list with the timestamp keys; `now` and `lifeMs` in milliseconds. */
export const signDenyList = (
  facts: Pick<DenyListDocument, 'zone' | 'trustEpoch' | 'sequence' | 'entries'>,
  lifeMs: number,
  now: number,
  signers: readonly Signer[],
): Promise<string> =>
  signEnvelope(
    'sallyport-deny-list',
    {
      schema: 'sallyport/deny-list/1',
      zone: facts.zone,
      trustEpoch: facts.trustEpoch,
      sequence: facts.sequence,
      issuedAt: new Date(now).toISOString(),
      expiresAt: new Date(now + lifeMs).toISOString(),
      entries: facts.entries,
    } satisfies DenyListDocument,
    signers,
  );

/**
 * Verifies a deny list in the order of every signed document: size, envelope, signer, parse, zone, trust epoch,
 * sequence, and that it has not expired.
 *
 * @param held the one in force
 * @param receivedAt milliseconds; `from-disk` leaves expiry to its entries: what they deny stays denied
 * @returns the list; `older` where its sequence is not above the held one's, which is no harm; the first check's fault
 */
export async function verifyDenyList(
  root: RootDocument,
  zone: string,
  envelope: string,
  held: Pick<DenyListDocument, 'trustEpoch' | 'sequence'> | undefined,
  receivedAt: number | 'from-disk',
): Promise<Result<DenyListDocument | 'older'>> {
  const payload = await openEnvelope(
    envelope,
    'sallyport-deny-list',
    quorumOf(root, 'timestamp'),
    maxDenyListBytes,
  );
  if (!payload.ok) return payload;
  const document = parseJsonBytes(payload.value, denyListDocument);
  if (!document.ok) return document;
  const list = document.value;
  if (list.zone !== zone) return refuse('snapshot-zone', `deny list of zone ${list.zone}`);
  if (list.trustEpoch !== root.trustEpoch) {
    return refuse(
      'snapshot-rollback',
      `deny list of trust epoch ${list.trustEpoch}, root has ${root.trustEpoch}`,
    );
  }
  if (held?.trustEpoch === list.trustEpoch && list.sequence <= held.sequence) return ok('older');
  if (receivedAt !== 'from-disk' && Date.parse(list.expiresAt) <= receivedAt) {
    return refuse('snapshot-expired', `deny list, ${list.expiresAt}`);
  }
  return ok(list);
}
