/**
 * Wakes long polls when a zone has news. A wake is a hint: the poll looks again at the store, so a missed one costs
 * one poll period and never a change.
 */
export interface ChangeFeed {
  /** Where the feed of a zone stands. Ask before reading the store, and nothing announced since is missed. */
  position(zone: string): number;
  /** Resolves when something was announced after `position`, after `ms` at the latest, and when `signal` aborts. */
  wait(zone: string, position: number, ms: number, signal: AbortSignal): Promise<void>;
  announce(zone: string): void;
}

/**
 * For a process that publishes and answers polls itself: wakes at once.
 *
 * @param periodMs how often a poll looks again without a wake, where other processes publish too
 */
export function inProcessFeed(periodMs = Number.POSITIVE_INFINITY): ChangeFeed {
  const positions = new Map<string, number>();
  const waiting = new Map<string, Set<() => void>>();
  const position = (zone: string) => positions.get(zone) ?? 0;
  return {
    position,
    wait(zone, seen, ms, signal) {
      if (position(zone) > seen || signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const sleepers = waiting.get(zone) ?? new Set();
        waiting.set(zone, sleepers);
        const wake = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', wake);
          sleepers.delete(wake);
          if (sleepers.size === 0) waiting.delete(zone);
          resolve();
        };
        const timer = setTimeout(wake, Math.min(ms, periodMs));
        signal.addEventListener('abort', wake);
        sleepers.add(wake);
      });
    },
    announce(zone) {
      positions.set(zone, position(zone) + 1);
      for (const wake of [...(waiting.get(zone) ?? [])]) wake();
    },
  };
}

/** For processes that share nothing but the database: the poll looks again each `periodMs`. */
export const pollingFeed = (periodMs: number): ChangeFeed => ({
  position: () => 0,
  wait: (_zone, _position, ms) => new Promise((resolve) => setTimeout(resolve, Math.min(ms, periodMs))),
  announce: () => undefined,
});
