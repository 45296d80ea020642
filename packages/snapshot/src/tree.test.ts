import { type Bytes, sha256Hex, utf8 } from '@sallyport/bytes';
import { ok, type Result, refuse, unwrap } from '@sallyport/faults';
import { describe, expect, it, test } from 'vitest';
import type { BlobRef } from './documents.ts';
import { buildTree, type FetchNode, lookUp, maxLeafBytes, refOf, walkTree } from './tree.ts';

const keyOf = (name: string | number): string => sha256Hex(utf8(String(name)));
const entriesOf = (count: number, padding = 200): Map<string, unknown> =>
  new Map(
    Array.from({ length: count }, (_, at) => [keyOf(at), { name: `n${at}`, more: 'x'.repeat(padding) }]),
  );

/** A tree in memory. */
async function stored(entries: ReadonlyMap<string, unknown>) {
  const blobs = new Map<string, Bytes>();
  const root = await buildTree(entries, async (plaintext) => {
    const ref = refOf(plaintext);
    blobs.set(ref.digest, plaintext);
    return ref;
  });
  return { root, blobs, fetch: fetchFrom(blobs) };
}

const fetchFrom =
  (blobs: ReadonlyMap<string, Bytes>): FetchNode =>
  async (ref) => {
    const bytes = blobs.get(ref.digest);
    return bytes ? ok(bytes) : refuse('section-missing', ref.digest);
  };

async function walked(root: BlobRef, fetch: FetchNode): Promise<Result<Map<string, unknown>>> {
  const seen = new Map<string, unknown>();
  const result = await walkTree(root, fetch, (value, key) => {
    expect(seen.has(key)).toBe(false);
    seen.set(key, value);
    return ok(undefined);
  });
  return result.ok ? ok(seen) : result;
}

describe.each([0, 1, 2, 300, 20_000])('a tree of %i entries', (count) => {
  const entries = entriesOf(count);

  it('gives every entry back, and nothing for another key', async () => {
    const { root, fetch } = await stored(entries);
    expect(unwrap(await walked(root, fetch))).toEqual(entries);
    const some = [...entries].filter((_, at) => at % Math.max(1, Math.floor(count / 200)) === 0);
    for (const [key, value] of some) expect(unwrap(await lookUp(root, key, fetch))).toEqual(value);
    for (let at = 0; at < 50; at++) {
      expect(unwrap(await lookUp(root, keyOf(`absent ${at}`), fetch))).toBeUndefined();
    }
  });

  it('is the same whatever order the entries come in', async () => {
    const { root } = await stored(entries);
    expect((await stored(new Map([...entries].reverse()))).root).toEqual(root);
  });

  it('keeps its leaves within bounds and well filled', async () => {
    const { blobs } = await stored(entries);
    const nodes = [...blobs.values()].map((bytes) => JSON.parse(new TextDecoder().decode(bytes)));
    const leaves = nodes.filter((node) => 'leaf' in node);
    for (const leaf of leaves) {
      expect(utf8(JSON.stringify(leaf)).length).toBeLessThanOrEqual(maxLeafBytes);
    }
    const whole = utf8(JSON.stringify({ leaf: Object.fromEntries(entries) })).length;
    expect(leaves.length).toBeLessThanOrEqual(1 + (4 * whole) / maxLeafBytes);
  });
});

describe('a change', () => {
  const entries = entriesOf(20_000);
  const nodesOf = async (of: ReadonlyMap<string, unknown>) => new Set((await stored(of)).blobs.keys());
  const unchanged = nodesOf(entries);

  test.each([
    ['of one entry', (copy: Map<string, unknown>) => copy.set(keyOf(77), { name: 'changed' })],
    ['by one more entry', (copy: Map<string, unknown>) => copy.set(keyOf('new'), { name: 'new' })],
    ['by one entry less', (copy: Map<string, unknown>) => copy.delete(keyOf(77))],
    ['by one entry that is large', (copy: Map<string, unknown>) => copy.set(keyOf(77), 'x'.repeat(30_000))],
  ])('%s moves its leaf and the path to it', async (_what, change) => {
    const before = await unchanged;
    const copy = new Map(entries);
    change(copy);
    const after = await nodesOf(copy);
    const fresh = [...after].filter((digest) => !before.has(digest));
    // The root, an inner node, and the leaf or the few into which it was split.
    expect(fresh.length).toBeGreaterThan(0);
    expect(fresh.length).toBeLessThanOrEqual(12);
  });

  it('of one entry reads no more than its path', async () => {
    const { root, blobs } = await stored(entries);
    let read = 0;
    const fetch = fetchFrom(blobs);
    await lookUp(root, keyOf(1), (ref) => {
      read++;
      return fetch(ref);
    });
    expect(read).toBeLessThanOrEqual(3);
  });
});

describe('keys that have much in common', () => {
  it('lie as deep as they must', async () => {
    const entries = new Map(
      Array.from({ length: 40 }, (_, at) => [
        `${'00'.repeat(31)}${at.toString(16).padStart(2, '0')}`,
        'x'.repeat(1_000),
      ]),
    );
    const { root, fetch } = await stored(entries);
    expect(unwrap(await walked(root, fetch))).toEqual(entries);
    for (const key of entries.keys()) expect(unwrap(await lookUp(root, key, fetch))).toHaveLength(1_000);
    expect(unwrap(await lookUp(root, 'ff'.repeat(32), fetch))).toBeUndefined();
  });

  it('have names that mean nothing to JavaScript', async () => {
    const { root, fetch } = await stored(new Map([[keyOf('a'), 'value']]));
    for (const name of ['__proto__', 'constructor', 'toString']) {
      expect(unwrap(await lookUp(root, name, fetch))).toBeUndefined();
    }
  });
});

/** Whatever somebody could write who holds the keys, in place of a tree. */
describe('a hostile tree', () => {
  const made = (...nodes: readonly unknown[]) => {
    const blobs = new Map<string, Bytes>();
    const refs = nodes.map((node) => {
      const bytes = typeof node === 'string' ? utf8(node) : utf8(JSON.stringify(node));
      blobs.set(refOf(bytes).digest, bytes);
      return refOf(bytes);
    });
    return { root: refs.at(-1) as BlobRef, blobs, fetch: fetchFrom(blobs) };
  };
  const codeOf = <T>(result: Result<T>) => (result.ok ? 'ok' : result.fault.code);
  const ref: BlobRef = { digest: keyOf('x'), size: 10 };

  test.each([
    ['no JSON', '{'],
    ['not UTF-8', '\ud800{'],
    ['another value', []],
    ['null', null],
    ['both kinds at once', { leaf: {}, inner: {} }],
    ['a further member', { leaf: {}, more: 1 }],
    ['a key that is none', { leaf: { short: 1 } }],
    ['a key in capitals', { leaf: { [keyOf('a').toUpperCase()]: 1 } }],
    ['a byte that is none', { inner: { zz: ref } }],
    ['a byte of one digit', { inner: { 0: ref } }],
    ['a child without a size', { inner: { '00': { digest: ref.digest } } }],
    ['a child of no size', { inner: { '00': { digest: ref.digest, size: 0 } } }],
    ['a child of a size beyond reason', { inner: { '00': { digest: ref.digest, size: 1e12 } } }],
    ['an address that is a path', { inner: { '00': { digest: '../../etc/passwd', size: 1 } } }],
  ])('%s is malformed', async (_what, node) => {
    const { root, fetch } = made(node);
    expect(codeOf(await walkTree(root, fetch))).toBe('section-malformed');
    expect(codeOf(await lookUp(root, keyOf('a'), fetch))).toBe('section-malformed');
  });

  it('that is deeper than a key is long is malformed', async () => {
    let child: BlobRef = refOf(utf8('{"leaf":{}}'));
    const blobs = new Map([[child.digest, utf8('{"leaf":{}}')]]);
    for (let depth = 0; depth < 40; depth++) {
      const bytes = utf8(JSON.stringify({ inner: { '00': child } }));
      child = refOf(bytes);
      blobs.set(child.digest, bytes);
    }
    expect(codeOf(await walkTree(child, fetchFrom(blobs)))).toBe('section-malformed');
    expect(codeOf(await lookUp(child, '00'.repeat(32), fetchFrom(blobs)))).toBe('section-malformed');
  });

  it('that hides an entry where nobody would find it is malformed', async () => {
    const leaf = { leaf: { [`ab${'00'.repeat(31)}`]: 1 } };
    const { root: child } = made(leaf);
    const right = made(leaf, { inner: { ab: child } });
    expect(codeOf(await walkTree(right.root, right.fetch))).toBe('ok');
    const wrong = made(leaf, { inner: { ac: child } });
    expect(codeOf(await walkTree(wrong.root, wrong.fetch))).toBe('section-malformed');
  });

  it('that leads to one inner node on many ways, to be walked without end, is malformed', async () => {
    let child = refOf(utf8('{"leaf":{}}'));
    const blobs = new Map([[child.digest, utf8('{"leaf":{}}')]]);
    for (let depth = 0; depth < 30; depth++) {
      const inner = Object.fromEntries(
        Array.from({ length: 256 }, (_, byte) => [byte.toString(16).padStart(2, '0'), child]),
      );
      const bytes = utf8(JSON.stringify({ inner }));
      child = refOf(bytes);
      blobs.set(child.digest, bytes);
    }
    expect(codeOf(await walkTree(child, fetchFrom(blobs)))).toBe('section-malformed');
  });

  it('of too many nodes or bytes is oversized', async () => {
    const { root, fetch } = await stored(entriesOf(300));
    const all = () => ok(undefined);
    expect(codeOf(await walkTree(root, fetch, all, { nodes: 3, bytes: 1e9 }))).toBe('section-oversize');
    expect(codeOf(await walkTree(root, fetch, all, { nodes: 1e6, bytes: 30_000 }))).toBe('section-oversize');
    expect(codeOf(await walkTree(root, fetch, all, { nodes: 1e6, bytes: 1e9 }))).toBe('ok');
  });

  it('passes on what is wrong with a node, and what is wrong with an entry', async () => {
    const { root, blobs, fetch } = await stored(entriesOf(300));
    const broken = await walkTree(root, fetch, () => refuse('section-malformed', 'entry'));
    expect(codeOf(broken)).toBe('section-malformed');
    blobs.delete([...blobs.keys()].find((digest) => digest !== root.digest) as string);
    expect(codeOf(await walkTree(root, fetch))).toBe('section-missing');
  });
});
