import type { AccountFacts, ServerFacts } from './decide.ts';
import { entryRule } from './decide.ts';
import type { EffectivePolicy } from './effective.ts';
import { type ProofKind, proofSets } from './proof-sets.ts';
import { encryptionFor } from './ssl-entry.ts';
import { classOf } from './user-class.ts';

/** Why a live session cannot go on. */
export type SessionEnd =
  | 'account-gone'
  | 'account-disabled'
  | 'account-locked'
  | 'password-changed'
  | 'credential-gone'
  | 'second-factor-gone'
  | 'server-gone';

/** What a session was admitted on, and what of it still stands. */
export type SessionFacts = {
  readonly accountId: string;
  /** Login name, normalised. */
  readonly name: string;
  readonly source: string;
  readonly channel: 'encrypted' | 'clear';
  readonly proofs: readonly ProofKind[];
  /** The password hash is the one that verified it. */
  readonly passwordStands: boolean;
  /** The credential is still registered, valid, unrevoked and trusted. */
  readonly credentialStands: boolean;
  /** The second factor is the one that the code was of. */
  readonly secondFactorStands: boolean;
};

export type Redecision =
  | { readonly kind: 'keep' }
  /** The rules have become stricter than what the session brought: it goes on until the server's `drainBy`. */
  | { readonly kind: 'outdated' }
  | { readonly kind: 'end'; readonly reason: SessionEnd };

/**
 * Decides a live session anew after a change (design section 4): gone what it rests on, it ends; only stricter rules,
 * it is kept and outdated.
 *
 * @param server the server as it is now; undefined where it is gone
 * @param account the account of that name now
 */
export function redecide(
  session: SessionFacts,
  server: ServerFacts | undefined,
  policy: EffectivePolicy,
  account: AccountFacts | undefined,
): Redecision {
  const end = (reason: SessionEnd): Redecision => ({ kind: 'end', reason });
  if (!server || server.state === 'suspended') return end('server-gone');
  if (!account || account.id !== session.accountId) return end('account-gone');
  if (!account.enabled) return end('account-disabled');
  if (account.locked) return end('account-locked');
  if (session.proofs.includes('password') && !session.passwordStands) return end('password-changed');
  if (session.proofs.includes('credential') && !session.credentialStands) return end('credential-gone');
  if (session.proofs.includes('second-factor') && !session.secondFactorStands)
    return end('second-factor-gone');

  const { name, source } = session;
  if (
    session.channel === 'clear' &&
    encryptionFor(policy.sslEntries, policy.userClasses, { name, source }) === 'required'
  ) {
    return { kind: 'outdated' };
  }
  const found = classOf(policy.userClasses, { name, source, groups: account.groups });
  if (found === 'undetermined') return { kind: 'outdated' };
  const rule = entryRule(server, policy, found, account);
  if (rule === 'certificate-required-not-requested') return { kind: 'outdated' };
  // Under `disabled` a credential counts for nothing, whatever was proved with it.
  const counted =
    rule.clientCertificate === 'disabled'
      ? session.proofs.filter((kind) => kind !== 'credential')
      : session.proofs;
  const admitted = proofSets(rule).some((set) => set.every((kind) => counted.includes(kind)));
  return admitted ? { kind: 'keep' } : { kind: 'outdated' };
}
