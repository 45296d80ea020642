import { utf8 } from '@sallyport/bytes';
import { unwrap } from '@sallyport/faults';
import { beforeAll, expect, it } from 'vitest';
import { makeTrust, start, type Trust } from '../fixture/world.ts';
import {
  type DenyEntry,
  maxDenyEntries,
  maxDenyListBytes,
  signDenyList,
  verifyDenyList,
} from './deny-list.ts';
import { signTimestamp } from './sign.ts';

let trust: Trust;
beforeAll(async () => {
  trust = await makeTrust();
});

const until = '2026-06-01T01:00:00.000Z';
const entries: DenyEntry[] = [
  { type: 'session', session: '8b7ad0b5-9c3f-4f56-8c1c-0d6c1cb6b8a5', until },
  { type: 'account-source', account: 'anna', source: '192.0.2.1', until },
];
const facts = { zone: 'zon-edge', trustEpoch: 1, sequence: 5, entries };
const lifeMs = 60_000;
const signed = (changes: object = {}, signer = trust.timestamp) =>
  signDenyList({ ...facts, ...changes }, lifeMs, start, [signer]);
const verify = (
  text: string,
  held?: { trustEpoch: number; sequence: number },
  at: number | 'from-disk' = start,
) => verifyDenyList(trust.root, 'zon-edge', text, held, at);

it('a list comes out as it was signed', async () => {
  expect(unwrap(await verify(await signed()))).toEqual({
    schema: 'sallyport/deny-list/1',
    ...facts,
    issuedAt: '2026-06-01T00:00:00.000Z',
    expiresAt: '2026-06-01T00:01:00.000Z',
  });
});

it('a list that is not newer changes nothing', async () => {
  expect(unwrap(await verify(await signed(), { trustEpoch: 1, sequence: 5 }))).toBe('older');
  expect(unwrap(await verify(await signed(), { trustEpoch: 1, sequence: 6 }))).toBe('older');
  expect(unwrap(await verify(await signed(), { trustEpoch: 1, sequence: 4 }))).toMatchObject({ sequence: 5 });
});

it('a list that was signed by another role, for another zone or epoch, or too long ago', async () => {
  const fault = async (text: string, at?: number) => {
    const verified = await verify(text, undefined, at);
    return verified.ok ? 'ok' : verified.fault.code;
  };
  expect(await fault(await signed({}, trust.snapshot))).toBe('snapshot-signer');
  expect(await fault(await signed({ zone: 'zon-other' }))).toBe('snapshot-zone');
  expect(await fault(await signed({ trustEpoch: 2 }))).toBe('snapshot-rollback');
  expect(await fault(await signed(), start + lifeMs)).toBe('snapshot-expired');
  expect(await fault(await signed({ entries: [{ type: 'permit', account: 'anna', until }] }))).toBe(
    'snapshot-malformed',
  );
  expect(await fault('{}')).toBe('snapshot-envelope');
  expect(await fault('x'.repeat(maxDenyListBytes + 1))).toBe('snapshot-oversize');
  const timestamp = await signTimestamp(
    {
      zone: 'zon-edge',
      trustEpoch: 1,
      version: 1,
      manifest: '0'.repeat(64),
      auditHead: { sequence: 0, hash: '' },
    },
    { timestampSeconds: 60, graceSeconds: 60 },
    start,
    [trust.timestamp],
  );
  expect(await fault(timestamp)).toBe('snapshot-signer');
});

it('what the disk holds is denied on, expired or not', async () => {
  expect((await verify(await signed(), undefined, 'from-disk')).ok).toBe(true);
});

it('the longest list there may be fits the bound', async () => {
  const longest: DenyEntry = {
    type: 'account-source',
    account: 'a'.repeat(80),
    source: 's'.repeat(64),
    until,
  };
  const text = await signed({ entries: Array.from({ length: maxDenyEntries }, () => longest) });
  expect(utf8(text).length).toBeLessThan(maxDenyListBytes);
  expect((await verify(text)).ok).toBe(true);
});
