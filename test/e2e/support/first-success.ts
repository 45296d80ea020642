import { eventually } from '../../support/process.ts';

/**
 * Tries until one try succeeds, and says how long after `since` (of `performance.now()`) that try began: what a client
 * needs to connect is not part of how long a change takes to be live.
 */
export async function firstSuccess<T>(
  since: number,
  attempt: () => Promise<T>,
): Promise<{ readonly beganAfterMs: number; readonly value: T }> {
  let began = since;
  const value = await eventually(
    () => {
      began = performance.now();
      return attempt();
    },
    { timeoutMs: 10_000 },
  );
  return { beganAfterMs: began - since, value };
}
