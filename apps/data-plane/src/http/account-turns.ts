/** Runs work, of each account only so many at once; the rest waits its turn. */
export type AccountTurns = <T>(account: string, work: () => Promise<T>) => Promise<T>;

/**
 * For work on whole trees, which keeps a directory open on each level: a connection of HTTP/2 could ask for more of it
 * at once than there are descriptors.
 *
 * @param atOnce of one account
 */
export function createAccountTurns(atOnce: number): AccountTurns {
  const accounts = new Map<string, { running: number; readonly waiting: (() => void)[] }>();

  return async (account, work) => {
    const own = accounts.get(account) ?? { running: 0, waiting: [] };
    accounts.set(account, own);
    // Whoever ends hands its place to who has waited longest.
    if (own.running < atOnce) own.running++;
    else await new Promise<void>((resolve) => own.waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = own.waiting.shift();
      if (next) next();
      else if (--own.running === 0) accounts.delete(account);
    }
  };
}
