import type { TLSSocket } from 'node:tls';
import { sha256Hex } from '@sallyport/bytes';
import { verifyClient } from '@sallyport/pki';
import type { CredentialFact } from '@sallyport/policy';
import type { ZoneView } from '../zone-view.ts';
import type { ChainMemory } from './chain-memory.ts';
import { presentedChain } from './presented-chain.ts';

/**
 * Judges the client certificate of a finished handshake, full or resumed, with `verifyClient` alone.
 * A resumed session carries no more than the leaf: the chain of its full handshake is judged anew, in full; where
 * that is not remembered the certificate is invalid.
 *
 * @param trustDigest trust that the session was made under; `view` is what it is judged under
 * @returns what the policy may know of it; the reason of `invalid` is for the audit log
 */
export async function judgeClientCertificate(
  socket: TLSSocket,
  options: {
    readonly view: ZoneView;
    readonly now: number;
    readonly trustDigest: string;
    readonly memory: ChainMemory;
  },
): Promise<CredentialFact> {
  const { view, memory } = options;
  const shown = presentedChain(socket);
  const leaf = shown[0];
  if (leaf === undefined) return { kind: 'none' };

  const key = { leafSha256: sha256Hex(leaf), trustDigest: options.trustDigest };
  const resumed = socket.isSessionReused();
  const presented = resumed ? memory.recall(key) : shown;
  if (presented === undefined) return { kind: 'invalid', reason: 'resumed-chain-unknown' };

  let verdict: Awaited<ReturnType<typeof verifyClient>>;
  try {
    verdict = await verifyClient({
      presented: [...presented],
      cas: [...view.trust.cas],
      now: new Date(options.now),
      isRevoked: (certificate) => view.isRevoked(certificate),
      registrations: (lookup) => view.registrationsOf(lookup),
    });
  } catch {
    // A certificate that our own judge stumbles over is not accepted, and takes nobody else down.
    return { kind: 'invalid', reason: 'judge-failed' };
  }
  if (!resumed) memory.remember(key, presented, verdict.kind);
  return verdict.kind === 'accepted'
    ? { kind: 'proved', registrations: verdict.registrations }
    : { kind: 'invalid', reason: `${verdict.reason}: ${verdict.detail}` };
}
