import type { Totp } from '@sallyport/model';
import { expect, test } from 'vitest';
import { codeAt, stepOf } from './totp.ts';

const secretOf = (ascii: string): string => Buffer.from(ascii).toString('base64');
const sha1: Totp = {
  secret: secretOf('12345678901234567890'),
  algorithm: 'SHA1',
  digits: 8,
  periodSeconds: 30,
};
const sha256: Totp = { ...sha1, secret: secretOf('12345678901234567890123456789012'), algorithm: 'SHA256' };

// RFC 6238 appendix B.
test.each([
  [59, '94287082', '46119246'],
  [1_111_111_109, '07081804', '68084774'],
  [1_111_111_111, '14050471', '67062674'],
  [1_234_567_890, '89005924', '91819424'],
  [2_000_000_000, '69279037', '90698825'],
  [20_000_000_000, '65353130', '77737706'],
])('at %i s', (seconds, code1, code256) => {
  const step = Math.floor(seconds / 30);
  expect(codeAt(sha1, step)).toBe(code1);
  expect(codeAt(sha256, step)).toBe(code256);
  expect(codeAt({ ...sha1, digits: 6 }, step)).toBe(code1.slice(2));
  expect(stepOf(sha1, code1, seconds * 1000)).toBe(step);
});

test('takes the step before and the one after, and says which it was', () => {
  const now = 1_000 * 30_000;
  const taken = (step: number) => stepOf(sha1, codeAt(sha1, step), now);
  expect([998, 999, 1_000, 1_001, 1_002].map(taken)).toEqual([undefined, 999, 1_000, 1_001, undefined]);
});

test.each(['', '0', '123456', '123456789', 'abcdefgh', '９４２８７０８２', '94287082'.repeat(1_000), '\0'])(
  'takes no %j',
  (code) => {
    expect(stepOf(sha1, code, 59_000)).toBeUndefined();
  },
);

test('spaces that an app shows between the digits do not count', () => {
  expect(stepOf(sha1, ' 9428 7082 ', 59_000)).toBe(1);
});
