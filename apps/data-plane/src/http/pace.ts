/** How slowly a body may come: fewer bytes than these in a window that was spent waiting for them are too few. */
export type Pace = { readonly windowMs: number; readonly minBytes: number };

export const usualPace: Pace = { windowMs: 30_000, minBytes: 4_096 };

/** Watches one body. */
export interface PaceWatch {
  /** So many bytes came, and are being worked on. */
  came(bytes: number): void;
  /** They are worked off: more may come. */
  waits(): void;
  end(): void;
}

/**
 * Ends a body that trickles in only to hold its place. A time in which we were the slow ones does not count.
 *
 * @param onSlow called once
 */
export function watchPace(onSlow: () => void, pace: Pace = usualPace): PaceWatch {
  let bytes = 0;
  let state: 'waiting' | 'working' = 'waiting';
  let worked = false;
  const timer = setInterval(() => {
    if (state === 'waiting' && !worked && bytes < pace.minBytes) {
      clearInterval(timer);
      onSlow();
    }
    bytes = 0;
    worked = state === 'working';
  }, pace.windowMs);
  timer.unref();
  return {
    came(more) {
      bytes += more;
      state = 'working';
    },
    waits() {
      state = 'waiting';
    },
    end: () => clearInterval(timer),
  };
}
