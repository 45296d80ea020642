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

/**
 * Builds a hash tree over the entries: fan-out 256 by successive key bytes, leaves of at most 16 KiB
 * (design section 5). Equal entries give an equal tree, so a change stores its leaves and their path alone.
 *
 * @returns the root's address
 */
export function buildTree(entries: TreeEntries, store: StoreNode): Promise<BlobRef> {
  const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  return buildNode(sorted, 0, store);
}

async function buildNode(
  entries: readonly (readonly [string, unknown])[],
  depth: number,
  store: StoreNode,
): Promise<BlobRef> {
  const leaf = utf8(JSON.stringify({ leaf: Object.fromEntries(entries) } satisfies TreeNode));
  if (entries.length <= 1 || leaf.length <= maxLeafBytes) return store(leaf);
  const groups = Map.groupBy(entries, ([key]) => key.slice(depth * 2, depth * 2 + 2));
  const inner: Record<string, BlobRef> = {};
  for (const [byte, group] of groups) inner[byte] = await buildNode(group, depth + 1, store);
  return store(utf8(JSON.stringify({ inner } satisfies TreeNode)));
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
  for (let depth = 0; depth <= key.length / 2; depth++) {
    const node = await readNode(ref, fetch);
    if (!node.ok) return node;
    if ('leaf' in node.value)
      return ok(Object.hasOwn(node.value.leaf, key) ? node.value.leaf[key] : undefined);
    const child = node.value.inner[key.slice(depth * 2, depth * 2 + 2)];
    if (!child) return ok(undefined);
    ref = child;
  }
  return refuse('section-malformed', 'the tree is deeper than its keys are long');
}

/**
 * Visits every node below the root, children after their parent, so that a caller can fetch and check them all.
 *
 * @returns nothing, or the first fault
 */
export async function walkTree(root: BlobRef, fetch: FetchNode, maxNodes = 200_000): Promise<Result<void>> {
  const queue = [root];
  for (let visited = 0; queue.length > 0; visited++) {
    if (visited >= maxNodes) return refuse('section-oversize', 'the tree has too many nodes');
    const node = await readNode(queue.pop() as BlobRef, fetch);
    if (!node.ok) return node;
    if ('inner' in node.value) queue.push(...Object.values(node.value.inner));
  }
  return ok(undefined);
}

/** The address of stored bytes. */
export const refOf = (stored: Uint8Array): BlobRef => ({ digest: sha256Hex(stored), size: stored.length });
