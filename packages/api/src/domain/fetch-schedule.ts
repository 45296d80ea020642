import type { Dependencies } from '../dependencies.ts';

/** Who the audit log says it was: the platform's timer. */
export const timer = 'timer';

const minute = 60_000;
/** A fetch that has not come back by then was cut short. */
export const claimMs = 2 * minute;
/** How many addresses of a kind one run of the timer asks. */
export const mostPerRun = 10;
/** No address is asked again sooner than this after it has answered. */
export const soonestMs = 5 * minute;
const latestMs = 6 * 60 * minute;

export const clamp = (value: number, least: number, most: number): number =>
  Math.min(Math.max(value, least), most);

/** RFC 3339 of milliseconds since the epoch. */
export const iso = (ms: number): string => new Date(ms).toISOString();

/** Between 0.9 and 1.1: addresses that were set up together are not all asked together for ever. */
export const jitter = ({ randomBytes }: Pick<Dependencies, 'randomBytes'>): number =>
  0.9 + (0.2 * (randomBytes(1)[0] as number)) / 255;

/** Milliseconds until something that is good for `leftMs` more is fetched anew: half of that, within bounds. */
export const renewalPauseMs = (leftMs: number): number => clamp(leftMs / 2, soonestMs, latestMs);
