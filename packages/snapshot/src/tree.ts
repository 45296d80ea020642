import { type Bytes, sha256Hex, utf8 } from '@sallyport/bytes';
import { ok, type Result, refuse } from '@sallyport/faults';
import { z } from 'zod';
import { type BlobRef, blobRef } from './documents.ts';
import { parseJsonBytes } from './envelope.ts';

/** A leaf is split when it is larger than this, unless it holds one entry only. */
export const maxLeafBytes = 16_384;
/** Bound of any stored tree node: an inner node of 256 children, or a leaf of one very large entry. */
export const maxTreeNodeBytes = 1_048_576;

const hexByte = z.string().regex(/^[0-9a-f]{2}$/);
const treeNode = z.union([
  z.strictObject({ inner: z.record(hexByte, blobRef) }),
  z.strictObject({ leaf: z.record(z.string().regex(/^[0-9a-f]{64}$/), z.unknown()) }),
]);
type TreeNode = z.infer<typeof treeNode>;

/** Entries of a tree: value by 32-byte key in hex. */
export type TreeEntries = ReadonlyMap<string, unknown>;

/** Stores one node's plaintext, encrypted or not, and answers where. */
export type StoreNode = (plaintext: Bytes) => Promise<BlobRef>;

/** Fetches a node's plaintext: already checked against its digest and decrypted. */
export type FetchNode = (ref: BlobRef) => Promise<Result<Bytes>>;

/** An entry with the bytes it takes in a leaf. */
type Entry = { readonly key: string; readonly value: unknown; readonly size: number };

/** Bytes of a key in hex: the greatest depth of a tree. */
const keyBytes = 32;
const byteAt = (key: string, depth: number): string => key.slice(depth * 2, depth * 2 + 2);

/**
 * Builds a hash tree over the entries: fan-out 256 by successive key bytes, leaves of at most 16 KiB
 * (design section 5). Equal entries give an equal tree, so a change stores its leaves and their path alone.
 *
 * Neighbouring bytes share a leaf while it has room, else a tree of many entries would be one of leaves with one or two.
 * They share it by halves of the range, so that where a leaf ends depends on its own entries and on no others.
 *
 * @returns the root's address
 */
export function buildTree(entries: TreeEntries, store: StoreNode): Promise<BlobRef> {
  const sorted = [...entries]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    // The key in quotes, a colon, the value, a comma.
    .map(
      ([key, value]): Entry => ({ key, value, size: key.length + 4 + utf8(JSON.stringify(value)).length }),
    );
  return buildNode(sorted, 0, store);
}

const emptyLeafBytes = 11;

const fits = (entries: readonly Entry[]): boolean =>
  entries.length <= 1 || entries.reduce((total, { size }) => total + size, emptyLeafBytes) <= maxLeafBytes;

const storeLeaf = (entries: readonly Entry[], store: StoreNode): Promise<BlobRef> => {
  const leaf = Object.fromEntries(entries.map(({ key, value }) => [key, value]));
  return store(utf8(JSON.stringify({ leaf } satisfies TreeNode)));
};

async function buildNode(entries: readonly Entry[], depth: number, store: StoreNode): Promise<BlobRef> {
  if (fits(entries)) return storeLeaf(entries, store);
  const groups = [...Map.groupBy(entries, ({ key }) => byteAt(key, depth))];
  const inner: Record<string, BlobRef> = {};
  for await (const [byte, ref] of buildChildren(groups, [0, 256], depth, store)) inner[byte] = ref;
  return store(utf8(JSON.stringify({ inner } satisfies TreeNode)));
}

type ByteRange = readonly [from: number, below: number];

/** The children of the bytes in a range, in order; `groups` are the entries of each byte there. */
async function* buildChildren(
  groups: readonly (readonly [string, readonly Entry[]])[],
  [from, below]: ByteRange,
  depth: number,
  store: StoreNode,
): AsyncGenerator<readonly [string, BlobRef]> {
  const [first] = groups;
  if (!first) return;
  if (below - from === 1) {
    yield [first[0], await buildNode(first[1], depth + 1, store)];
    return;
  }
  const entries = groups.flatMap(([, group]) => group);
  if (fits(entries)) {
    const ref = await storeLeaf(entries, store);
    for (const [byte] of groups) yield [byte, ref];
    return;
  }
  const middle = (from + below) / 2;
  const halves = Map.groupBy(groups, ([byte]) => (Number.parseInt(byte, 16) < middle ? 'low' : 'high'));
  yield* buildChildren(halves.get('low') ?? [], [from, middle], depth, store);
  yield* buildChildren(halves.get('high') ?? [], [middle, below], depth, store);
}

async function readNode(ref: BlobRef, fetch: FetchNode): Promise<Result<TreeNode>> {
  const bytes = await fetch(ref);
  if (!bytes.ok) return bytes;
  const node = parseJsonBytes(bytes.value, treeNode);
  return node.ok ? node : refuse('section-malformed', `tree node: ${node.fault.detail}`);
}

/**
 * Finds one entry, reading the nodes on its path alone.
 *
 * @param key 32 bytes in hex
 * @returns the value as JSON, not yet parsed; nothing where there is no such entry; or the fault of a node on the path
 */
export async function lookUp(root: BlobRef, key: string, fetch: FetchNode): Promise<Result<unknown>> {
  let ref = root;
  for (let depth = 0; depth <= keyBytes; depth++) {
    const node = await readNode(ref, fetch);
    if (!node.ok) return node;
    if ('leaf' in node.value)
      return ok(Object.hasOwn(node.value.leaf, key) ? node.value.leaf[key] : undefined);
    if (depth === keyBytes) break;
    const child = node.value.inner[byteAt(key, depth)];
    if (!child) return ok(undefined);
    ref = child;
  }
  return tooDeep();
}

const tooDeep = () => refuse('section-malformed', 'the tree is deeper than its keys are long');

/** What a tree may cost whoever walks it. */
export type TreeBounds = { readonly nodes: number; readonly bytes: number };
const treeBounds: TreeBounds = { nodes: 200_000, bytes: 536_870_912 };

/**
 * Visits every node below the root, children after their parent, so that a caller can fetch and check them all, and
 * hands over each entry. An entry that stands where `lookUp` would not find it makes the tree malformed.
 *
 * @param visit judges one entry
 * @returns nothing, or the first fault; `section-oversize` where the tree is larger than the bounds
 */
export async function walkTree(
  root: BlobRef,
  fetch: FetchNode,
  visit: (value: unknown, key: string) => Result<void> = () => ok(undefined),
  bounds: TreeBounds = treeBounds,
): Promise<Result<void>> {
  const queue: { ref: BlobRef; prefixes: readonly string[] }[] = [{ ref: root, prefixes: [''] }];
  let nodes = 0;
  let bytes = 0;
  for (let next = queue.pop(); next; next = queue.pop()) {
    const { ref, prefixes } = next;
    bytes += ref.size;
    if (++nodes > bounds.nodes || bytes > bounds.bytes) {
      return refuse(
        'section-oversize',
        `the tree has more than ${bounds.nodes} nodes or ${bounds.bytes} bytes`,
      );
    }
    const node = await readNode(ref, fetch);
    if (!node.ok) return node;
    if ('inner' in node.value) {
      const [prefix = '', ...others] = prefixes;
      if (others.length > 0) return refuse('section-malformed', 'an inner tree node stands in two places');
      if (prefix.length >= keyBytes * 2) return tooDeep();
      queue.push(...childrenOf(node.value.inner, prefix));
      continue;
    }
    for (const [key, value] of Object.entries(node.value.leaf)) {
      if (!prefixes.some((prefix) => key.startsWith(prefix))) {
        return refuse('section-malformed', 'a tree entry stands in the wrong place');
      }
      const judged = visit(value, key);
      if (!judged.ok) return judged;
    }
  }
  return ok(undefined);
}

/** Each child once, with all the prefixes that lead to it. */
const childrenOf = (inner: Readonly<Record<string, BlobRef>>, prefix: string) =>
  [...Map.groupBy(Object.entries(inner), ([, ref]) => `${ref.digest} ${ref.size}`).values()].map((same) => ({
    ref: (same[0] as [string, BlobRef])[1],
    prefixes: same.map(([byte]) => prefix + byte),
  }));

/** The address of stored bytes. */
export const refOf = (stored: Uint8Array): BlobRef => ({ digest: sha256Hex(stored), size: stored.length });
