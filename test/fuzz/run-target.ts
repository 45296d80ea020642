import { mutate, seeded } from '../support/mutate.ts';
import type { FuzzTarget } from './target.ts';

/** Processor time that no input may cost (milliseconds). */
const mostCpuMs = 1_000;
/** Time in which each input must have come to its end. */
const mostWaitMs = 10_000;

/** An input that did what none may. */
export type Find = { readonly input: Uint8Array; readonly run: number; readonly message: string };

/**
 * Feeds changed seeds until `goOn` says no, or one of them throws, costs a second, or does not end.
 *
 * @param goOn asked before each run with the number of runs so far
 * @returns how many inputs were fed, and the one that failed
 */
export async function runTarget(
  target: FuzzTarget,
  seed: number,
  goOn: (runs: number) => boolean,
): Promise<{ runs: number; find?: Find }> {
  const seeds = await target.seeds();
  const random = seeded(seed);
  const pick = () => seeds[random(seeds.length)] as Uint8Array;
  let runs = 0;
  for (const input of seeds) {
    const message = await failureOf(target, input, seed);
    if (message !== undefined) return { runs, find: { input, run: runs, message } };
  }
  while (goOn(runs)) {
    const input = Uint8Array.from(mutate(pick(), pick(), random));
    const message = await failureOf(target, input, seed + runs);
    if (message !== undefined) return { runs, find: { input, run: runs, message } };
    runs++;
  }
  return { runs };
}

/** Feeds one input. @returns what was wrong, or nothing */
export async function failureOf(
  target: FuzzTarget,
  input: Uint8Array,
  seed: number,
): Promise<string | undefined> {
  const before = process.cpuUsage();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no end within ${mostWaitMs / 1_000} s`), mostWaitMs);
  });
  try {
    const outcome = await Promise.race([
      Promise.resolve(target.feed(input, seeded(seed))).then(() => undefined),
      late,
    ]);
    if (outcome !== undefined) return outcome;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  } finally {
    clearTimeout(timer);
  }
  const { user, system } = process.cpuUsage(before);
  const cpuMs = (user + system) / 1_000;
  return cpuMs > mostCpuMs ? `cost ${Math.round(cpuMs)} ms of processor time` : undefined;
}
