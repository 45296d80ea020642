import { sha256Hex, utf8 } from '@sallyport/bytes';
import type { LockoutCounter, Totp } from '@sallyport/model';
import type { Lockouts, LoginKey } from './lockout/lockouts.ts';
import type { Verification } from './password/verifier.ts';
import { stepOf } from './second-factor/totp.ts';

/** What a password or a code came to, with every failure counted. */
export type GuardedProof =
  | { readonly kind: 'verified' | 'failed' | 'busy' }
  | { readonly kind: 'locked-out'; readonly counter: LockoutCounter };

/**
 * Has a password verified, unless its name or its source is locked out. A lock-out that began while it was verified
 * counts: who guesses at many doors at once gets no more answers than who guesses at one.
 *
 * @param verify `dummy` takes the same time and verifies nothing
 */
export async function provePassword(
  lockouts: Lockouts,
  key: LoginKey,
  verify: (which: 'password' | 'dummy') => Promise<Verification>,
): Promise<GuardedProof> {
  const before = await lockouts.check(key);
  if (before.kind === 'blocked') {
    const verification = await verify('dummy');
    return verification === 'busy' ? { kind: 'busy' } : { kind: 'locked-out', counter: before.counter };
  }
  switch (await verify('password')) {
    case 'busy':
      return { kind: 'busy' };
    case 'wrong':
      await lockouts.failed(key);
      return { kind: 'failed' };
    case 'verified': {
      const after = await lockouts.check(key);
      return after.kind === 'blocked' ? { kind: 'locked-out', counter: after.counter } : { kind: 'verified' };
    }
  }
}

/**
 * Proves a code of an account's second factor (RFC 6238), once. As for a password, a lock-out that began meanwhile
 * counts.
 *
 * @param totp undefined for an account that has none: no code is right
 * @param now milliseconds since the epoch
 */
export async function proveCode(
  lockouts: Lockouts,
  key: LoginKey,
  account: { readonly id: string; readonly totp: Totp | undefined },
  code: string,
  now: number,
): Promise<GuardedProof> {
  const verdict = await lockouts.check(key);
  if (verdict.kind === 'blocked') return { kind: 'locked-out', counter: verdict.counter };
  const step = account.totp && stepOf(account.totp, code, now);
  if (account.totp && step !== undefined) {
    const spent = await lockouts.spendStep(`${account.id} ${digestOf(account.totp)}`, step);
    if (spent === 'fresh') {
      const after = await lockouts.check(key);
      return after.kind === 'blocked' ? { kind: 'locked-out', counter: after.counter } : { kind: 'verified' };
    }
  }
  await lockouts.failed(key);
  return { kind: 'failed' };
}

/** Codes of a secret that another one has replaced are no codes of the other. */
const digestOf = ({ secret }: Totp): string => sha256Hex(utf8(secret)).slice(0, 16);
