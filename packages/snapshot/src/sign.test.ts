import { unwrap } from '@sallyport/faults';
import { expect, it } from 'vitest';
import { makeTrust, start } from '../fixture/world.ts';
import { resignAfterMs, signTimestamp } from './sign.ts';
import { verifyTimestamp } from './verify.ts';

const facts = {
  zone: 'zon-edge',
  trustEpoch: 1,
  version: 1,
  manifest: '0'.repeat(64),
  auditHead: { sequence: 7, hash: 'head' },
};

it('a timestamp is good for its life, and its grace comes after that', async () => {
  const trust = await makeTrust();
  const lifetimes = { timestampSeconds: 60, graceSeconds: 600 };
  const text = await signTimestamp(facts, lifetimes, start, [trust.timestamp]);
  expect(unwrap(await verifyTimestamp(trust.root, 'zon-edge', text, undefined, start))).toEqual({
    schema: 'sallyport/timestamp/1',
    ...facts,
    issuedAt: '2026-06-01T00:00:00.000Z',
    expiresAt: '2026-06-01T00:01:00.000Z',
    graceUntil: '2026-06-01T00:11:00.000Z',
  });
});

it('a timestamp is signed anew after each third of its life', () => {
  expect(resignAfterMs({ timestampSeconds: 86_400, graceSeconds: 0 })).toBe(28_800_000);
  expect(resignAfterMs({ timestampSeconds: 3, graceSeconds: 0 })).toBe(1_000);
});
