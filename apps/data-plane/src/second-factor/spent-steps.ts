/** Time steps whose codes were accepted: a code is accepted once (RFC 6238 section 5.2). */
export interface SpentSteps {
  /**
   * Takes a step for an account.
   *
   * @returns `spent` where that step or a later one was taken before
   */
  spend(account: string, step: number): 'fresh' | 'spent';
}

/** @param capacity accounts that are remembered; who logged in longest ago is forgotten first */
export function createSpentSteps(capacity: number): SpentSteps {
  const last = new Map<string, number>();
  return {
    spend(account, step) {
      const before = last.get(account);
      if (before !== undefined && step <= before) return 'spent';
      last.delete(account);
      const oldest = last.keys().next();
      if (last.size >= capacity && !oldest.done) last.delete(oldest.value);
      last.set(account, step);
      return 'fresh';
    },
  };
}
