import { expect, test } from 'vitest';
import { endOfUse } from './end-of-use.ts';

const notAfter = new Date('2026-12-01T00:00:00Z');

test.each([
  ['x509', null, '2026-12-01T00:00:00.000Z'],
  ['x509', '2026-06-01T00:00:00Z', '2026-06-01T00:00:00Z'],
  ['x509', '2027-06-01T00:00:00Z', '2026-12-01T00:00:00.000Z'],
  ['x509', '2026-12-01T00:00:00Z', '2026-12-01T00:00:00.000Z'],
  ['ssh-key', null, undefined],
  ['ssh-key', '2026-06-01T00:00:00Z', '2026-06-01T00:00:00Z'],
  ['ssh-key', '2027-06-01T00:00:00Z', '2027-06-01T00:00:00Z'],
] as const)('%s with validUntil %s ends %s', (form, validUntil, expected) => {
  expect(endOfUse({ form, validUntil }, { notAfter })).toBe(expected);
});
