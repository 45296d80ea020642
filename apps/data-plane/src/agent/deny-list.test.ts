import { unwrap } from '@sallyport/faults';
import {
  generateSigningKey,
  jwkSigner,
  makeFirstRoot,
  rootFingerprint,
  type Signer,
} from '@sallyport/snapshot';
import type { DenyListDocument, RootDocument } from '@sallyport/snapshot/node';
import { pinRoot } from '@sallyport/snapshot/node';
import { type DenyEntry, signDenyList } from '@sallyport/snapshot/publish';
import { beforeAll, expect, it } from 'vitest';
import { createDenyLists, deniedSessions } from './deny-list.ts';

const now = Date.parse('2026-06-01T12:00:00Z');
const until = '2026-06-01T13:00:00.000Z';
const entries: DenyEntry[] = [
  { type: 'session', session: 'gone', until: '2026-06-01T12:00:00.000Z' },
  { type: 'session', session: 'one', until },
  { type: 'account', account: 'one', until },
];

let root: RootDocument;
let signer: Signer;
beforeAll(async () => {
  const [rootKey, snapshot, timestamp] = [
    await generateSigningKey(),
    await generateSigningKey(),
    await generateSigningKey(),
  ];
  const { envelope } = await makeFirstRoot({ root: rootKey, snapshot, timestamp });
  root = unwrap(await pinRoot(envelope, unwrap(rootFingerprint(envelope)))).document;
  signer = await jwkSigner(timestamp);
});

const signed = (sequence: number) =>
  signDenyList({ zone: 'zone', trustEpoch: 1, sequence, entries }, 60_000, now, [signer]);

function node(onDisk?: string) {
  const disk = { envelope: onDisk };
  const enforced: number[] = [];
  const lists = createDenyLists(
    'zone',
    {
      readDenyList: async () => disk.envelope,
      writeDenyList: async (envelope) => {
        disk.envelope = envelope;
      },
    },
    () => now,
    ({ sequence }) => enforced.push(sequence),
  );
  return { disk, enforced, lists };
}

it('a newer list is kept and enforced, an older one is neither', async () => {
  const { disk, enforced, lists } = node();
  expect(lists.sequenceUnder(root)).toBe(0);
  const [older, newer] = [await signed(4), await signed(5)];
  unwrap(await lists.takeIn(root, newer));
  unwrap(await lists.takeIn(root, older));
  unwrap(await lists.takeIn(root, newer));
  expect(enforced).toEqual([5]);
  expect(disk.envelope).toBe(newer);
  expect(lists.sequenceUnder(root)).toBe(5);
  expect(lists.sequenceUnder({ ...root, trustEpoch: 2 })).toBe(0);
});

it('a list that fails its check is refused and changes nothing', async () => {
  const { disk, enforced, lists } = node();
  const good = await signed(5);
  const forged = JSON.stringify({ ...JSON.parse(good), payload: JSON.parse(await signed(6)).payload });
  expect(await lists.takeIn(root, forged)).toMatchObject({ ok: false, fault: { code: 'snapshot-signer' } });
  expect(disk.envelope).toBeUndefined();
  expect(enforced).toEqual([]);
});

it('what was denied before a restart is denied after it', async () => {
  const { enforced, lists } = node(await signed(5));
  unwrap(await lists.loadFromDisk(root));
  expect(enforced).toEqual([5]);
  unwrap(await lists.takeIn(root, await signed(4)));
  expect(lists.inForce?.sequence).toBe(5);
});

it('a copy on disk that was damaged is left out', async () => {
  const { enforced, lists } = node('{');
  expect((await lists.loadFromDisk(root)).ok).toBe(false);
  expect(enforced).toEqual([]);
  unwrap(await lists.takeIn(root, await signed(5)));
  expect(enforced).toEqual([5]);
});

it('a session is denied until its time', () => {
  const list = { entries } as unknown as DenyListDocument;
  expect(deniedSessions(list, now)).toEqual(['one']);
  expect(deniedSessions(list, Date.parse(until))).toEqual([]);
});
