import type { Bytes } from '@sallyport/bytes';

/** The chains that clients presented in full handshakes, for the resumed ones that carry the leaf alone. */
export interface ChainMemory {
  /** @param standing a flood of refused certificates must not push out accepted ones */
  remember(key: ChainKey, chain: readonly Bytes[], standing: 'accepted' | 'refused'): void;
  /** The chain, or nothing where it was never seen, has outlived its tickets or was pushed out. */
  recall(key: ChainKey): Promise<readonly Bytes[] | undefined>;
}

/** A leaf under one state of trust (design section 4). */
export type ChainKey = { readonly leafSha256: string; readonly trustDigest: string };

type Entry = { readonly chain: readonly Bytes[]; readonly bytes: number; readonly forgetAt: number };

/** Bytes of chains of one standing: OpenSSL takes up to 100 KB from a client before anything of it is judged. */
const defaultMaxBytes = 32 << 20;

const sizeOf = (chain: readonly Bytes[]): number => chain.reduce((sum, { length }) => sum + length, 0);

/** Chains in the order of their use, and what they weigh. */
class Shelf {
  readonly #entries = new Map<string, Entry>();
  bytes = 0;

  get size(): number {
    return this.#entries.size;
  }

  put(name: string, entry: Entry): void {
    this.take(name);
    this.#entries.set(name, entry);
    this.bytes += entry.bytes;
  }

  take(name: string): Entry | undefined {
    const entry = this.#entries.get(name);
    if (entry && this.#entries.delete(name)) this.bytes -= entry.bytes;
    return entry;
  }

  dropOldest(): void {
    const oldest = this.#entries.keys().next();
    if (!oldest.done) this.take(oldest.value);
  }
}

/**
 * A memory of at most `capacity` chains and `maxBytes` bytes of each standing; the longest unused go first.
 *
 * @param lifetimeMs how long a chain is kept after its last full handshake: as long as tickets live
 * @param now milliseconds since the epoch
 */
export function createChainMemory(options: {
  readonly capacity: number;
  readonly maxBytes?: number;
  readonly lifetimeMs: number;
  readonly now: () => number;
}): ChainMemory {
  const { capacity, maxBytes = defaultMaxBytes } = options;
  const shelves = { accepted: new Shelf(), refused: new Shelf() };
  const nameOf = (key: ChainKey): string => `${key.leafSha256}/${key.trustDigest}`;

  return {
    remember(key, chain, standing) {
      const name = nameOf(key);
      shelves.accepted.take(name);
      shelves.refused.take(name);
      const shelf = shelves[standing];
      shelf.put(name, { chain, bytes: sizeOf(chain), forgetAt: options.now() + options.lifetimeMs });
      while (shelf.size > capacity || shelf.bytes > maxBytes) shelf.dropOldest();
    },
    async recall(key) {
      const name = nameOf(key);
      for (const shelf of [shelves.accepted, shelves.refused]) {
        const entry = shelf.take(name);
        if (!entry) continue;
        if (entry.forgetAt <= options.now()) return undefined;
        shelf.put(name, entry);
        return entry.chain;
      }
      return undefined;
    },
  };
}
