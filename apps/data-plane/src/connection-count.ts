import type { Limits } from '@sallyport/model';

/** Open connections of one listener, in all and per address. */
export interface ConnectionCount {
  readonly total: number;
  /** Counts one more, until `leave`; false where a limit is reached. */
  enter(address: string, limits: Pick<Limits, 'maxConnections' | 'maxConnectionsPerAddress'>): boolean;
  /** Counts one of this address less. One that was not counted changes nothing. */
  leave(address: string): void;
}

export function createConnectionCount(): ConnectionCount {
  const perAddress = new Map<string, number>();
  let total = 0;
  return {
    get total() {
      return total;
    },
    enter(address, limits) {
      const same = perAddress.get(address) ?? 0;
      if (total >= limits.maxConnections || same >= limits.maxConnectionsPerAddress) return false;
      total++;
      perAddress.set(address, same + 1);
      return true;
    },
    leave(address) {
      const same = perAddress.get(address);
      if (same === undefined) return;
      total--;
      if (same === 1) perAddress.delete(address);
      else perAddress.set(address, same - 1);
    },
  };
}
