import { utf8 } from '@sallyport/bytes';
import { type Result, unwrap } from '@sallyport/faults';
import { beforeAll, describe, expect, it, test } from 'vitest';
import {
  contentWith,
  makeTrust,
  makeZone,
  memoryBlobs,
  publishWorld,
  randomBytes,
  stampFor,
  start,
  type Trust,
} from '../fixture/world.ts';
import type { ManifestDocument, RootDocument, TimestampDocument } from './documents.ts';
import { jwkSigner, signEnvelope } from './envelope.ts';
import { makeFirstRoot } from './make-root.ts';
import { followRoot, loadRoot } from './root.ts';
import { signManifest, signRoot } from './sign.ts';
import { type Applied, manifestDigest, servingState, verifyManifest, verifyTimestamp } from './verify.ts';

const zone = 'zon-edge';
const hour = 3_600_000;

let trust: Trust;
let published: { document: ManifestDocument; manifest: string; timestamp: string };
/** What a node holds that runs `published`. */
let applied: Applied;
beforeAll(async () => {
  trust = await makeTrust();
  published = await publishWorld({
    trust,
    content: contentWith(),
    blobs: memoryBlobs(),
    contentKey: randomBytes(32),
    version: 10,
  });
  applied = {
    trustEpoch: 1,
    version: 10,
    manifestDigest: manifestDigest(published.manifest),
    highestIssuedAt: start,
  };
});

const codeOf = (result: Result<unknown>) => (result.ok ? 'ok' : result.fault.code);

/** The published manifest with changes, signed again, and its own timestamp. */
async function pair(changes: Record<string, unknown> = {}, now = start) {
  const document = { ...published.document, ...changes } as ManifestDocument;
  const manifest = await signManifest(document, [trust.snapshot]);
  return { document, manifest, timestamp: await stampFor(trust, document, manifest, now) };
}

type Pair = { readonly manifest: string; readonly timestamp: string };

/** Both documents in the order in which a node verifies them; the first fault, and whose it is. */
async function received(
  { manifest, timestamp }: Pair,
  options: { root?: RootDocument; applied?: Applied | undefined; at?: number } = {},
): Promise<string> {
  const root = options.root ?? trust.root;
  const held = 'applied' in options ? options.applied : applied;
  const stamp = await verifyTimestamp(root, zone, timestamp, held, options.at ?? start + 1_000);
  if (!stamp.ok) return `timestamp ${stamp.fault.code}`;
  const found = await verifyManifest(root, zone, manifest, stamp.value, held);
  return found.ok ? 'ok' : `manifest ${found.fault.code}`;
}

/** The manifest alone, under a timestamp that is good for `published`. */
const manifestAlone = async (manifest: string, held: Applied | undefined = applied) => {
  const stamp = unwrap(await verifyTimestamp(trust.root, zone, published.timestamp, undefined, start));
  return codeOf(await verifyManifest(trust.root, zone, manifest, stamp, held));
};

describe('a good pair', () => {
  it('is taken by a node that has nothing', async () => {
    expect(await received(published, { applied: undefined })).toBe('ok');
  });

  it('is taken again by a node that runs it', async () => {
    expect(await received(published)).toBe('ok');
  });

  it('is taken by a node that runs an older version', async () => {
    expect(await received(await pair({ version: 11 }))).toBe('ok');
    expect(await received(await pair({ version: 1_000_010 }))).toBe('ok');
  });

  it('gives the documents as they were signed', async () => {
    const stamp = unwrap(await verifyTimestamp(trust.root, zone, published.timestamp, undefined, start));
    expect(stamp).toMatchObject({ version: 10, issuedAt: new Date(start).toISOString() });
    const manifest = await verifyManifest(trust.root, zone, published.manifest, stamp, undefined);
    expect(unwrap(manifest)).toEqual(published.document);
  });
});

describe('size and envelope', () => {
  it('an oversized document is not opened', async () => {
    const padded = (text: string, length: number) => `${text}${' '.repeat(length - text.length)}`;
    expect(await received({ ...published, timestamp: padded(published.timestamp, 4_097) })).toBe(
      'timestamp snapshot-oversize',
    );
    expect(await manifestAlone(padded(published.manifest, 16_385))).toBe('snapshot-oversize');
  });

  it('garbage is no envelope', async () => {
    expect(await received({ ...published, timestamp: 'garbage' })).toBe('timestamp snapshot-envelope');
    expect(await manifestAlone('{}')).toBe('snapshot-envelope');
  });
});

describe('the signer', () => {
  it('is the key of the role: a tampered byte is seen', async () => {
    const tampered = published.manifest.replace(/"payload":"(.)/, (_all, letter: string) =>
      letter === 'e' ? '"payload":"f' : '"payload":"e',
    );
    expect(tampered).not.toBe(published.manifest);
    expect(await manifestAlone(tampered)).toBe('snapshot-signer');
    const stamped = published.timestamp.replace(/"signature":"(.)/, (_all, letter: string) =>
      letter === 'A' ? '"signature":"B' : '"signature":"A',
    );
    expect(await received({ ...published, timestamp: stamped })).toBe('timestamp snapshot-signer');
  });

  it('is not the key of the other role', async () => {
    expect(await manifestAlone(await signManifest(published.document, [trust.timestamp]))).toBe(
      'snapshot-signer',
    );
    const stamp = await stampFor(
      { ...trust, timestamp: trust.snapshot },
      published.document,
      published.manifest,
    );
    expect(await received({ ...published, timestamp: stamp })).toBe('timestamp snapshot-signer');
  });

  it('is not a stranger', async () => {
    const other = await makeTrust();
    expect(await manifestAlone(await signManifest(published.document, [other.snapshot]))).toBe(
      'snapshot-signer',
    );
    expect(await received(published, { root: other.root })).toBe('timestamp snapshot-signer');
  });

  it('signs one kind of document: neither stands for the other', async () => {
    expect(await received({ ...published, timestamp: published.manifest })).toBe('timestamp snapshot-signer');
    expect(await manifestAlone(published.timestamp)).toBe('snapshot-signer');
    // Not even where one key has both roles.
    const key = trust.rootKey;
    const root = unwrap(
      await loadRoot((await makeFirstRoot({ root: key, snapshot: key, timestamp: key })).envelope),
    ).document;
    const asStamp = await signManifest(published.document, [await jwkSigner(key)]);
    expect(codeOf(await verifyTimestamp(root, zone, asStamp, undefined, start))).toBe('snapshot-signer');
  });

  it('is the one of the current root, not of the one before', async () => {
    const later = await makeTrust();
    const keys = { ...trust.root.keys, ...later.root.keys };
    const { snapshot, timestamp } = later.root.roles;
    const rotated = await signRoot(
      {
        ...trust.root,
        version: 2,
        trustEpoch: 2,
        keys,
        roles: { root: trust.root.roles.root, snapshot, timestamp },
      },
      [await jwkSigner(trust.rootKey)],
    );
    const root = unwrap(
      await followRoot({ document: trust.root, envelope: trust.envelope }, rotated),
    ).document;
    expect(await received(published, { root })).toBe('timestamp snapshot-signer');
    // Versions start afresh in the new epoch; nothing of the old one is compared.
    const document = { ...published.document, trustEpoch: 2, version: 1 };
    const manifest = await signManifest(document, [later.snapshot]);
    const fresh = { manifest, timestamp: await stampFor(later, document, manifest) };
    expect(await received(fresh, { root })).toBe('ok');
  });

  it('is as many keys as the threshold says', async () => {
    const second = await makeTrust();
    const both = {
      keys: [...trust.root.roles.snapshot.keys, ...second.root.roles.snapshot.keys],
      threshold: 2,
    };
    const root: RootDocument = {
      ...trust.root,
      keys: { ...trust.root.keys, ...second.root.keys },
      roles: { ...trust.root.roles, snapshot: both },
    };
    expect(await received(published, { root })).toBe('manifest snapshot-signer');
    const twice = await signManifest(published.document, [trust.snapshot, trust.snapshot]);
    const stampOf = (manifest: string) => stampFor(trust, published.document, manifest);
    expect(
      await received({ manifest: twice, timestamp: await stampOf(twice) }, { root, applied: undefined }),
    ).toBe('manifest snapshot-signer');
    const signed = await signManifest(published.document, [trust.snapshot, second.snapshot]);
    expect(
      await received({ manifest: signed, timestamp: await stampOf(signed) }, { root, applied: undefined }),
    ).toBe('ok');
  });
});

describe('form and schema', () => {
  test.each([
    ['a member more', { more: 1 }, 'snapshot-malformed'],
    ['a version that is none', { version: 0 }, 'snapshot-malformed'],
    ['a version that is no whole number', { version: 10.5 }, 'snapshot-malformed'],
    ['a version beyond whole numbers', { version: 2 ** 60 }, 'snapshot-malformed'],
    ['no sections', { sections: {} }, 'snapshot-malformed'],
    ['another schema', { schema: 'sallyport/manifest/2' }, 'snapshot-schema'],
    ['the schema of another document', { schema: 'sallyport/timestamp/1' }, 'snapshot-schema'],
  ])('a manifest with %s', async (_what, changes, code) => {
    const { manifest } = await pair(changes);
    expect(await manifestAlone(manifest)).toBe(code);
  });

  it('a signed text that is no JSON is malformed', async () => {
    const { protected: header, signature } = await trust.snapshot.sign('sallyport-manifest', utf8('{"a"'));
    const manifest = JSON.stringify({
      payload: 'eyJhIg',
      signatures: [{ protected: header, signature }],
    });
    expect(await manifestAlone(manifest)).toBe('snapshot-malformed');
  });

  test.each([
    ['another schema', { schema: 'sallyport/timestamp/2' }, 'snapshot-schema'],
    ['a member more', { more: 1 }, 'snapshot-malformed'],
    ['a time that is none', { expiresAt: 'tomorrow' }, 'snapshot-malformed'],
    ['a time elsewhere on earth', { expiresAt: '2026-06-01T02:00:00+02:00' }, 'snapshot-malformed'],
    ['an end before its beginning', { expiresAt: '2026-05-31T00:00:00Z' }, 'snapshot-malformed'],
    ['a grace that ends before it', { graceUntil: '2026-06-01T00:00:01Z' }, 'snapshot-malformed'],
  ])('a timestamp with %s', async (_what, changes, code) => {
    const document = { ...(await stampDocument()), ...changes };
    const timestamp = await signEnvelope('sallyport-timestamp', document, [trust.timestamp]);
    expect(await received({ ...published, timestamp })).toBe(`timestamp ${code}`);
  });
});

const stampDocument = async (): Promise<TimestampDocument> =>
  unwrap(await verifyTimestamp(trust.root, zone, published.timestamp, undefined, start));

describe('zone, epoch and version', () => {
  it('another zone’s documents are refused', async () => {
    const other = await publishWorld({
      trust,
      content: contentWith({ zone: makeZone('zon-internal') }),
      blobs: memoryBlobs(),
      contentKey: randomBytes(32),
      version: 10,
    });
    expect(await received(other, { applied: undefined })).toBe('timestamp snapshot-zone');
    expect(await manifestAlone(other.manifest, undefined)).toBe('snapshot-zone');
  });

  it('a lower version is a rollback', async () => {
    expect(await received(await pair({ version: 9 }))).toBe('timestamp snapshot-rollback');
    expect(await manifestAlone((await pair({ version: 9 })).manifest)).toBe('snapshot-rollback');
  });

  it('a lower trust epoch is a rollback, and so is one that the root has not', async () => {
    const raised = { ...trust.root, trustEpoch: 2 };
    expect(await received(published, { root: raised })).toBe('timestamp snapshot-rollback');
    expect(await received(await pair({ trustEpoch: 2 }))).toBe('timestamp snapshot-rollback');
    const ahead = { ...applied, trustEpoch: 2 };
    expect(await received(published, { applied: ahead })).toBe('timestamp snapshot-rollback');
    expect(await manifestAlone(published.manifest, ahead)).toBe('snapshot-rollback');
  });

  it('the same version with other bytes is equivocation', async () => {
    const other = await pair({ keyEpoch: 2 });
    expect(await received(other)).toBe('timestamp snapshot-equivocation');
    expect(await manifestAlone(other.manifest)).toBe('snapshot-equivocation');
    // Ed25519 gives one signature: the same document signed once more is the same bytes.
    expect(await manifestAlone(await signManifest(published.document, [trust.snapshot]))).toBe('ok');
  });

  it('a jump of more than a million is refused', async () => {
    expect(await received(await pair({ version: 1_000_011 }))).toBe('timestamp snapshot-jump');
    expect(await manifestAlone((await pair({ version: 1_000_011 })).manifest)).toBe('snapshot-jump');
  });
});

describe('time', () => {
  it('an expired timestamp is refused on receipt, to the millisecond', async () => {
    expect(await received(published, { at: start + hour - 1 })).toBe('ok');
    expect(await received(published, { at: start + hour })).toBe('timestamp snapshot-expired');
  });

  it('a clock that was set back refuses nothing that is good', async () => {
    expect(await received(published, { at: start - 10 * hour })).toBe('ok');
  });

  it('a timestamp older than one that was seen is a rollback', async () => {
    const held = { ...applied, highestIssuedAt: start + 1 };
    expect(await received(published, { applied: held })).toBe('timestamp snapshot-rollback');
    expect(await received(published, { applied: { ...applied, highestIssuedAt: start } })).toBe('ok');
    const newer = await stampFor(trust, published.document, published.manifest, start + 1);
    expect(await received({ ...published, timestamp: newer }, { applied: held })).toBe('ok');
  });

  it('from disk a timestamp may be expired', async () => {
    const read = await verifyTimestamp(trust.root, zone, published.timestamp, undefined, 'from-disk');
    expect(read.ok).toBe(true);
  });
});

describe('mix', () => {
  it('a manifest that the timestamp does not name is refused', async () => {
    const older = await pair({ version: 11, keyEpoch: 3 });
    const newer = await pair({ version: 12 });
    expect(await received({ manifest: older.manifest, timestamp: newer.timestamp })).toBe(
      'manifest snapshot-mix',
    );
    expect(await received({ manifest: newer.manifest, timestamp: older.timestamp })).toBe(
      'manifest snapshot-mix',
    );
    // The version alone is not enough, nor is the digest.
    const twin = await pair({ version: 11, keyEpoch: 4 });
    expect(await received({ manifest: twin.manifest, timestamp: older.timestamp })).toBe(
      'manifest snapshot-mix',
    );
    const lying = await stampFor(trust, { ...older.document, version: 12 }, older.manifest);
    expect(await received({ manifest: older.manifest, timestamp: lying })).toBe('manifest snapshot-mix');
  });
});

describe('servingState', () => {
  const timestamp = {
    issuedAt: new Date(start).toISOString(),
    expiresAt: new Date(start + 3 * hour).toISOString(),
    graceUntil: new Date(start + 5 * hour).toISOString(),
  } as TimestampDocument;

  test.each([
    [-hour, 'serving'],
    [0, 'serving'],
    [2 * hour - 1, 'serving'],
    [2 * hour, 'stale'],
    [3 * hour - 1, 'stale'],
    [3 * hour, 'grace'],
    [5 * hour - 1, 'grace'],
    [5 * hour, 'refusing'],
    [5_000 * hour, 'refusing'],
  ] as const)('%i ms after it was issued: %s', (after, state) => {
    expect(servingState(timestamp, start + after, start)).toBe(state);
    // A clock that was set back changes nothing.
    if (after > 0) expect(servingState(timestamp, 0, start + after)).toBe(state);
  });

  it('has no grace where none was given', () => {
    const strict = { ...timestamp, graceUntil: timestamp.expiresAt };
    expect(servingState(strict, start + 3 * hour - 1, start)).toBe('stale');
    expect(servingState(strict, start + 3 * hour, start)).toBe('refusing');
  });
});
