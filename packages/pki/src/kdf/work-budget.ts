import { FaultError } from '@sallyport/faults';

/** What one import may still spend on turning passwords into keys. */
export type WorkBudget = {
  /**
   * Takes from what is left before the work is done.
   *
   * @param milliseconds what the work is estimated to take in plain JavaScript
   * @param what names the derivation and its cost parameters
   * @throws FaultError `key-too-costly`
   */
  spend(milliseconds: number, what: string): void;
};

/**
 * A file states itself how much work its password takes, and may hold many of them: all derivations of one
 * import share one budget, so that no file can stop the process.
 *
 * @param milliseconds estimated time in plain JavaScript, the slowest way in any runtime
 */
export function workBudget(milliseconds: number): WorkBudget {
  let left = milliseconds;
  return {
    spend: (amount, what) => {
      // Written so that a number that is none is refused.
      if (!(amount <= left)) throw new FaultError({ code: 'key-too-costly', detail: what });
      left -= amount;
    },
  };
}

/** For work that we choose ourselves. */
export const unboundedWork: WorkBudget = { spend: () => {} };
