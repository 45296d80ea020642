import type { Limits } from '@sallyport/model';

/** Open connections of one listener, in all and per address. */
export interface ConnectionCount {
  /** Counts one more; the answer ends it, once. Nothing where a limit is reached. */
  enter(
    address: string,
    limits: Pick<Limits, 'maxConnections' | 'maxConnectionsPerAddress'>,
  ): (() => void) | undefined;
}

export function createConnectionCount(): ConnectionCount {
  const perAddress = new Map<string, number>();
  let total = 0;
  return {
    enter(address, limits) {
      const same = perAddress.get(address) ?? 0;
      if (total >= limits.maxConnections || same >= limits.maxConnectionsPerAddress) return undefined;
      total++;
      perAddress.set(address, same + 1);
      let counted = true;
      return () => {
        if (!counted) return;
        counted = false;
        total--;
        const left = (perAddress.get(address) ?? 1) - 1;
        if (left === 0) perAddress.delete(address);
        else perAddress.set(address, left);
      };
    },
  };
}
