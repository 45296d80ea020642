import type { Bytes } from '@sallyport/bytes';

/** The chains that clients presented in full handshakes, for the resumed ones that carry the leaf alone. */
export interface ChainMemory {
  /** @param standing a flood of refused certificates must not push out accepted ones */
  remember(key: ChainKey, chain: readonly Bytes[], standing: 'accepted' | 'refused'): void;
  /** The chain, or nothing where it was never seen, has outlived its tickets or was pushed out. */
  recall(key: ChainKey): readonly Bytes[] | undefined;
}

/** A leaf under one state of trust (design section 4). */
export type ChainKey = { readonly leafSha256: string; readonly trustDigest: string };

type Entry = { readonly chain: readonly Bytes[]; readonly forgetAt: number };

/**
 * A memory of at most `capacity` chains of each standing; the longest unused go first.
 *
 * @param lifetimeMs how long a chain is kept after its last full handshake: as long as tickets live
 * @param now milliseconds since the epoch
 */
export function createChainMemory(options: {
  readonly capacity: number;
  readonly lifetimeMs: number;
  readonly now: () => number;
}): ChainMemory {
  const shelves = { accepted: new Map<string, Entry>(), refused: new Map<string, Entry>() };
  const nameOf = (key: ChainKey): string => `${key.leafSha256}/${key.trustDigest}`;

  return {
    remember(key, chain, standing) {
      const name = nameOf(key);
      shelves.accepted.delete(name);
      shelves.refused.delete(name);
      const shelf = shelves[standing];
      shelf.set(name, { chain, forgetAt: options.now() + options.lifetimeMs });
      if (shelf.size > options.capacity) {
        const oldest = shelf.keys().next();
        if (!oldest.done) shelf.delete(oldest.value);
      }
    },
    recall(key) {
      const name = nameOf(key);
      for (const shelf of [shelves.accepted, shelves.refused]) {
        const entry = shelf.get(name);
        if (!entry) continue;
        shelf.delete(name);
        if (entry.forgetAt <= options.now()) return undefined;
        shelf.set(name, entry);
        return entry.chain;
      }
      return undefined;
    },
  };
}
