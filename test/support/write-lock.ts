/** Lets one writer in at a time, in the order of asking. */
export type WriteLock = {
  /**
   * Settles with the function that gives the lock back (once; more calls do nothing), or with undefined when
   * `waitMs` milliseconds have passed.
   */
  readonly acquire: (waitMs: number) => Promise<(() => void) | undefined>;
};

export function writeLock(): WriteLock {
  const waiting: (() => void)[] = [];
  let held = false;

  const grant = () => {
    let given = true;
    return () => {
      if (!given) return;
      given = false;
      const next = waiting.shift();
      if (next) next();
      else held = false;
    };
  };

  return {
    acquire: (waitMs) => {
      if (!held) {
        held = true;
        return Promise.resolve(grant());
      }
      return new Promise((resolve) => {
        const turn = () => {
          clearTimeout(timer);
          resolve(grant());
        };
        const timer = setTimeout(() => {
          waiting.splice(waiting.indexOf(turn), 1);
          resolve(undefined);
        }, waitMs);
        waiting.push(turn);
      });
    },
  };
}
