/** How one kind of counter blocks. Times in milliseconds. */
export type CounterRule = {
  /** Failures that begin a block. */
  readonly failures: number;
  /** A full counter has leaked empty after this. */
  readonly windowMs: number;
  readonly blockMs: number;
  readonly longestBlockMs: number;
};

/** Failures by key, as leaking buckets, with blocks that double. Bounded: the lightest are forgotten first. */
export interface FailureCounters {
  /** End of the block that holds at a time, in milliseconds. */
  blockedUntil(key: string, at: number): number | undefined;
  /** Counts a failure; not while the key is blocked. @returns the end of the block that it begins */
  fail(key: string, rule: CounterRule, at: number): number | undefined;
  /** Forgets a key: failures, block and how long the next one would be. */
  clear(key: string): void;
  readonly size: number;
}

type Counter = {
  /** Failures that have not leaked away, as of `at`. */
  weight: number;
  at: number;
  blockedUntil: number;
  /** Blocks in a row. */
  level: number;
};

const weightAt = (counter: Counter, { failures, windowMs }: CounterRule, at: number): number =>
  Math.max(0, counter.weight - (Math.max(0, at - counter.at) * failures) / windowMs);

/** A key that kept quiet for so long after its last block begins with the shortest again. */
const levelAt = (counter: Counter, rule: CounterRule, at: number): number =>
  at - counter.blockedUntil > Math.max(rule.longestBlockMs, rule.windowMs) ? 0 : counter.level;

/**
 * Counters of one kind.
 *
 * What is forgotten when there are too many is what weighs least: throwaway keys with a failure each push out one
 * another and never a key that is about to be blocked, let alone one that is.
 */
export function createFailureCounters(capacity: number): FailureCounters {
  const counters = new Map<string, Counter>();

  function makeRoom(rule: CounterRule, at: number): void {
    const standing = [...counters].map(([key, counter]) => {
      const weight = weightAt(counter, rule, at) + levelAt(counter, rule, at) * rule.failures;
      return { key, at: counter.at, weight: counter.blockedUntil > at ? Number.POSITIVE_INFINITY : weight };
    });
    standing.sort((one, other) =>
      one.weight === other.weight ? one.at - other.at : one.weight - other.weight,
    );
    const surplus = Math.max(1, counters.size - Math.floor(capacity * 0.75));
    for (const { key } of standing.slice(0, surplus)) counters.delete(key);
  }

  return {
    blockedUntil(key, at) {
      const until = counters.get(key)?.blockedUntil ?? 0;
      return until > at ? until : undefined;
    },

    fail(key, rule, at) {
      let counter = counters.get(key);
      if (!counter) {
        if (counters.size >= capacity) makeRoom(rule, at);
        counter = { weight: 0, at, blockedUntil: 0, level: 0 };
        counters.set(key, counter);
      }
      if (counter.blockedUntil > at) return undefined;
      counter.level = levelAt(counter, rule, at);
      counter.weight = weightAt(counter, rule, at) + 1;
      counter.at = at;
      // What leaks between failures in a row is no failure less.
      if (Math.ceil(counter.weight - 1e-9) < rule.failures) return undefined;
      counter.blockedUntil =
        at + Math.min(rule.blockMs * 2 ** Math.min(counter.level, 32), rule.longestBlockMs);
      counter.level++;
      counter.weight = 0;
      return counter.blockedUntil;
    },

    clear: (key) => void counters.delete(key),

    get size() {
      return counters.size;
    },
  };
}
