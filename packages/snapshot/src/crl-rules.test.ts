import { type Bytes, sha256Hex, utf8 } from '@sallyport/bytes';
import { unwrap } from '@sallyport/faults';
import { packSerials } from '@sallyport/pki/serial-set';
import { beforeAll, expect, test } from 'vitest';
import {
  contentWith,
  type Machine,
  type MemoryBlobs,
  makeMachine,
  makeTrust,
  memoryBlobs,
  nodeOf,
  publishWorld,
  randomBytes,
  type Trust,
} from '../fixture/world.ts';
import type { CrlRuleContent, ZoneContent } from './compile.ts';
import type { ManifestDocument } from './documents.ts';
import { nodeIndexKey } from './index-key.ts';
import { type FetchBlob, openSnapshot } from './reader.ts';

const contentKey = randomBytes(32);
const serials = Array.from({ length: 100_000 }, () => `40${Buffer.from(randomBytes(15)).toString('hex')}`);

let trust: Trust;
let machine: Machine;
let blobs: MemoryBlobs;
beforeAll(async () => {
  [trust, machine] = await Promise.all([makeTrust(), makeMachine('nod-1')]);
  blobs = memoryBlobs();
});

let loads = 0;
const ruleOf = (numbers: readonly string[], entries = numbers.length): CrlRuleContent => ({
  ca: 'crt-ca',
  onStaleCrl: 'reject',
  list: {
    number: '12',
    thisUpdate: '2026-06-01T00:00:00.000Z',
    nextUpdate: '2026-06-08T00:00:00.000Z',
    entries,
    chunks: packSerials(numbers).map((bytes) => ({
      sha256: sha256Hex(bytes),
      load: async () => {
        loads++;
        return bytes;
      },
    })),
  },
});

async function publish(changes: Partial<ZoneContent>): Promise<{ manifest: ManifestDocument; sent: number }> {
  const before = new Set(blobs.stored.keys());
  const content = contentWith({ nodes: [nodeOf(machine)], ...changes });
  const { document } = await publishWorld({ trust, content, blobs, contentKey });
  const fresh = [...blobs.stored].filter(([digest]) => !before.has(digest));
  return { manifest: document, sent: fresh.reduce((sum, [, { length }]) => sum + length, 0) };
}

const open = (manifest: ManifestDocument, fetch: FetchBlob = blobs.fetch) => {
  const { node, sealingPrivateKey } = machine;
  return openSnapshot(manifest, { node, nodeKey: nodeIndexKey(node), sealingPrivateKey }, fetch);
};

test('a list of 100,000 travels once; what changes beside it, and a few more on it, are small', async () => {
  const first = await publish({ crlRules: [ruleOf(serials)] });
  expect(first.sent).toBeLessThan(1_650_000);
  expect(JSON.stringify(first.manifest).length).toBeLessThan(4_096);
  const started = performance.now();
  const reader = unwrap(await open(first.manifest));
  console.log(`opened with a list of 100,000 in ${(performance.now() - started).toFixed()} ms`);
  const held = reader.revokedSerials.get('crt-ca');
  expect(held?.size).toBe(100_000);
  expect(held?.has(serials[777] as string)).toBe(true);
  expect(held?.has('40')).toBe(false);
  expect(reader.revocation.rules[0]).toMatchObject({ onStaleCrl: 'reject', list: { number: '12' } });

  loads = 0;
  const revoked = [
    { sha256: sha256Hex(utf8('a')), spkiSha256: sha256Hex(utf8('b')), at: '2026-01-01T00:00:00Z' },
  ];
  const beside = await publish({ crlRules: [ruleOf(serials)], revoked });
  expect(beside.sent).toBeLessThan(8_192);
  expect(loads).toBe(0);

  const more = await publish({ crlRules: [ruleOf([...serials, '4001', '4002'])] });
  expect(more.sent).toBeLessThan(250_000);
  expect(loads).toBeLessThanOrEqual(2);
  expect(
    unwrap(await open(more.manifest))
      .revokedSerials.get('crt-ca')
      ?.has('4001'),
  ).toBe(true);
});

test('a CA may have no list yet', async () => {
  const { manifest } = await publish({ crlRules: [{ ca: 'crt-ca', onStaleCrl: 'reject' }] });
  const reader = unwrap(await open(manifest));
  expect(reader.revocation.rules).toEqual([{ ca: 'crt-ca', onStaleCrl: 'reject' }]);
  expect(reader.revokedSerials.size).toBe(0);
});

test('a list is whole, or the snapshot is refused', async () => {
  const codeOf = async (manifest: ManifestDocument, fetch?: FetchBlob) => {
    const opened = await open(manifest, fetch);
    return opened.ok ? 'ok' : opened.fault.code;
  };
  expect(await codeOf((await publish({ crlRules: [ruleOf(['01', '02'], 3)] })).manifest)).toBe(
    'section-malformed',
  );
  const damaged = { sha256: sha256Hex(utf8('x')), load: async () => Uint8Array.of(1, 0, 0, 0, 2, 2, 1) };
  const broken = ruleOf(['01', '02']);
  const crlRules = [{ ...broken, list: { ...(broken.list as object), chunks: [damaged] } as never }];
  expect(await codeOf((await publish({ crlRules })).manifest)).toBe('section-malformed');

  const known = new Set(blobs.stored.keys());
  const { manifest } = await publish({ crlRules: [ruleOf(['0a', '0b'])] });
  const chunk = [...blobs.stored.keys()].find(
    (digest) => !known.has(digest) && digest !== manifest.sections.revocation.digest,
  );
  expect(chunk).toBeDefined();
  expect(await codeOf(manifest)).toBe('ok');
  const without: FetchBlob = async (ref) => (ref.digest === chunk ? undefined : blobs.fetch(ref));
  expect(await codeOf(manifest, without)).toBe('section-missing');
  const changed: FetchBlob = async (ref) => {
    const bytes = await blobs.fetch(ref);
    return ref.digest === chunk ? (bytes as Bytes).with(20, 1 ^ ((bytes as Bytes)[20] as number)) : bytes;
  };
  expect(await codeOf(manifest, changed)).toBe('section-digest');
});
