import type { TLSSocket } from 'node:tls';
import { copyOf, sha256Hex } from '@sallyport/bytes';
import { type ClientVerdict, revocationCheck, verifyClient } from '@sallyport/pki';
import type { CredentialFact } from '@sallyport/policy';
import type { CredentialStands } from '../login.ts';
import type { ZoneView } from '../zone-view.ts';
import type { ChainMemory } from './chain-memory.ts';
import { presentedChain } from './presented-chain.ts';

/** A client certificate as it was judged at the handshake, and the means to judge it again. */
export type JudgedCredential = {
  readonly fact: CredentialFact;
  /** Absent where there is nothing that a session could rest on. */
  readonly stands?: CredentialStands;
};

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
    readonly now: () => number;
    readonly trustDigest: string;
    readonly memory: ChainMemory;
  },
): Promise<JudgedCredential> {
  const { view, memory, now } = options;
  const shown = presentedChain(socket);
  const leaf = shown[0];
  if (leaf === undefined) return { fact: { kind: 'none' } };

  const key = { leafSha256: sha256Hex(leaf), trustDigest: options.trustDigest };
  const resumed = socket.isSessionReused();
  const presented = resumed ? await memory.recall(key) : shown;
  if (presented === undefined) return { fact: { kind: 'invalid', reason: 'resumed-chain-unknown' } };

  const verdict = await judge(presented, view, now());
  if (verdict === undefined) return { fact: { kind: 'invalid', reason: 'judge-failed' } };
  if (!resumed) memory.remember(key, presented, verdict.kind);
  if (verdict.kind === 'refused') {
    return { fact: { kind: 'invalid', reason: `${verdict.reason}: ${verdict.detail}` } };
  }
  return {
    fact: { kind: 'proved', registrations: verdict.registrations },
    async stands(later, account) {
      const again = await judge(presented, later, now());
      return again?.kind === 'accepted' && again.registrations.some((entry) => entry.account === account);
    },
  };
}

/** The verdict; nothing where our own judge stumbles over a certificate: it is not accepted and takes nobody down. */
async function judge(
  presented: readonly Uint8Array[],
  view: ZoneView,
  now: number,
): Promise<ClientVerdict | undefined> {
  try {
    return await verifyClient({
      presented: [...presented].map(copyOf),
      cas: view.trust.anchorsAt(now),
      now: new Date(now),
      checkIssued: revocationCheck(view.crlRules, new Date(now)),
      isRevoked: (certificate) => view.isRevoked(certificate),
      registrations: (lookup) => view.registrationsOf(lookup),
    });
  } catch {
    return undefined;
  }
}
