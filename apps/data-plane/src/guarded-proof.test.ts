import { lockoutSettings, type Totp } from '@sallyport/model';
import { expect, test } from 'vitest';
import { proveCode } from './guarded-proof.ts';
import { createLockouts, type Lockouts, type LoginKey } from './lockout/lockouts.ts';
import { codeAt } from './second-factor/totp.ts';

const key: LoginKey = { name: 'anna', source: '192.0.2.1', account: 'known' };
const totp: Totp = { secret: 'c2VjcmV0', algorithm: 'SHA1', digits: 6, periodSeconds: 30 };

/** As a process sees counters that another one keeps: each answer takes a turn. */
function farAway(lockouts: Lockouts): Lockouts {
  const later = async <T>(call: () => Promise<T>): Promise<T> => {
    await new Promise(setImmediate);
    return call();
  };
  return {
    check: (asked) => later(() => lockouts.check(asked)),
    failed: (asked) => later(() => lockouts.failed(asked)),
    succeeded: (asked) => later(() => lockouts.succeeded(asked)),
    spendStep: (factor, step) => later(() => lockouts.spendStep(factor, step)),
  };
}

test('of codes that are tried all at once the right one is none, behind too many wrong ones', async () => {
  const lockouts = farAway(
    createLockouts({ settings: () => lockoutSettings.parse({}), now: () => 60_000, began: () => {} }),
  );
  const right = codeAt(totp, 2);
  const codes = [...Array.from({ length: 100 }, () => 'wrong'), right];
  const account = { id: 'acc-anna', totp };
  const proofs = await Promise.all(codes.map((code) => proveCode(lockouts, key, account, code, 60_000)));
  expect(proofs.at(-1)).toEqual({ kind: 'locked-out', counter: 'account-source' });
});
