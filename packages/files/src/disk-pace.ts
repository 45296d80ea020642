/** A call that takes this long has not waited for a device. Milliseconds, as all times here. */
const promptMs = 0.2;
/** What calls may be late by, together, before no more are made. */
const capacityMs = 50;
/** How much of each millisecond is taken off what calls have been late by. */
const recovery = 0.2;
/** How long no calls are made once they have been late for too long. */
const pauseMs = 5_000;

/**
 * Watches how long system calls hold the thread that all sessions share. A disk that answers from memory takes
 * microseconds; where calls begin to wait, `isPrompt` says no for a while, so that they hold the thread for less than a
 * fifth of the time even then.
 */
export class DiskPace {
  readonly #now: () => number;
  #late = 0;
  #lateAt: number;
  #pausedUntil = 0;

  /** @param now milliseconds with their fractions, never going back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#lateAt = now();
  }

  /** May the next call be made in this thread? */
  get isPrompt(): boolean {
    return this.#pausedUntil === 0 || this.#now() >= this.#pausedUntil;
  }

  /** Makes a call and takes note of the time it takes, also when it throws. */
  time<T>(call: () => T): T {
    const from = this.#now();
    try {
      return call();
    } finally {
      const to = this.#now();
      if (to - from > promptMs) this.#note(from, to);
    }
  }

  #note(from: number, to: number): void {
    this.#late = Math.max(0, this.#late - (from - this.#lateAt) * recovery) + (to - from - promptMs);
    this.#lateAt = to;
    if (this.#late <= capacityMs) return;
    this.#late = 0;
    this.#pausedUntil = to + pauseMs;
  }
}
