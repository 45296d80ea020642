/** Limits how fast new connections may come from one source. */
export interface ConnectionRate {
  /** Takes one of what the source may open; false where it has used it up. */
  admit(source: string, perMinute: number): boolean;
}

type Bucket = { left: number; at: number };

const minuteMs = 60_000;
/** Sources that are remembered; beyond this those that have all of their share again are forgotten. */
const sweepAbove = 10_000;

/**
 * A bucket for each source that fills evenly in a minute: a client that was quiet may open as many at once as it
 * could have in a minute.
 *
 * @param now milliseconds, of a clock that does not go back
 */
export function createConnectionRate(now: () => number): ConnectionRate {
  const buckets = new Map<string, Bucket>();
  const filled = ({ left, at }: Bucket, perMinute: number): number =>
    Math.min(perMinute, left + ((now() - at) * perMinute) / minuteMs);
  return {
    admit(source, perMinute) {
      const bucket = buckets.get(source);
      const left = bucket ? filled(bucket, perMinute) : perMinute;
      if (left < 1) return false;
      if (!bucket && buckets.size >= sweepAbove) {
        for (const [other, one] of buckets) if (filled(one, perMinute) >= perMinute) buckets.delete(other);
      }
      buckets.set(source, { left: left - 1, at: now() });
      return true;
    },
  };
}
