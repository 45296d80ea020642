/**
 * Wakes long polls when a zone has a newer snapshot. A wake is a hint: the poll looks again at the store,
 * so a missed one costs one poll period and never a change.
 */
export interface ChangeFeed {
  /** Resolves when a version above `after` was announced, and after `ms` at the latest. */
  wait(zone: string, after: number, ms: number): Promise<void>;
  announce(zone: string, version: number): void;
}

/** For one process that publishes and answers polls itself: wakes at once. */
export function inProcessFeed(): ChangeFeed {
  const newest = new Map<string, number>();
  const waiting = new Map<string, Set<() => void>>();
  return {
    wait(zone, after, ms) {
      if ((newest.get(zone) ?? 0) > after) return Promise.resolve();
      return new Promise((resolve) => {
        const sleepers = waiting.get(zone) ?? new Set();
        waiting.set(zone, sleepers);
        const wake = () => {
          clearTimeout(timer);
          sleepers.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, ms);
        sleepers.add(wake);
      });
    },
    announce(zone, version) {
      newest.set(zone, Math.max(version, newest.get(zone) ?? 0));
      for (const wake of [...(waiting.get(zone) ?? [])]) wake();
    },
  };
}

/** For processes that share nothing but the database: the poll looks again each `periodMs`. */
export const pollingFeed = (periodMs: number): ChangeFeed => ({
  wait: (_zone, _after, ms) => new Promise((resolve) => setTimeout(resolve, Math.min(ms, periodMs))),
  announce: () => undefined,
});
