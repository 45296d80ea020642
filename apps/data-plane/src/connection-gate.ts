import type { Limits } from '@sallyport/model';
import { type ConnectionCount, createConnectionCount } from './connection-count.ts';
import { type ConnectionRate, createConnectionRate } from './connection-rate.ts';

/** Which limit a connection was above. */
export type DoorLimit = 'connection-limit' | 'connection-rate';

/** The limits of a server that bound its connections. */
export type ConnectionLimits = Pick<
  Limits,
  'maxConnections' | 'maxConnectionsPerAddress' | 'connectionsPerMinutePerAddress'
>;

/** Counts the connections of each server, in all and per network of the client. */
export interface ConnectionGate {
  /**
   * Counts one more connection, until `leave`.
   *
   * @param server id of the server
   * @param network as `sourceNetwork` gives it
   * @returns the limit that it is above: it is then not counted
   */
  enter(server: string, network: string, limits: ConnectionLimits): Promise<'entered' | DoorLimit>;
  /** One of the connections that have entered is gone. */
  leave(server: string, network: string): void;
}

/** @param now milliseconds, of a clock that does not go back */
export function createConnectionGate(now: () => number): ConnectionGate {
  // Kept as long as the process: whoever comes and goes at once must not be a stranger each time.
  const servers = new Map<string, { readonly count: ConnectionCount; readonly rate: ConnectionRate }>();
  return {
    async enter(server, network, limits) {
      const { count, rate } = servers.get(server) ?? {
        count: createConnectionCount(),
        rate: createConnectionRate(now),
      };
      servers.set(server, { count, rate });
      if (!rate.admit(network, limits.connectionsPerMinutePerAddress)) return 'connection-rate';
      return count.enter(network, limits) ? 'entered' : 'connection-limit';
    },
    leave: (server, network) => servers.get(server)?.count.leave(network),
  };
}

/** A gate for one of several processes, whose connections are gone all at once when it is. */
export interface OwnConnections {
  readonly gate: ConnectionGate;
  /** Counts none of its connections any more. */
  release(): void;
}

/** Remembers what entered `shared` by this gate. */
export function ownConnections(shared: ConnectionGate): OwnConnections {
  const held = new Map<string, { readonly server: string; readonly network: string; count: number }>();
  let released = false;
  return {
    gate: {
      async enter(server, network, limits) {
        const verdict = await shared.enter(server, network, limits);
        if (verdict !== 'entered') return verdict;
        if (released) {
          shared.leave(server, network);
          return verdict;
        }
        const key = `${server} ${network}`;
        const holding = held.get(key) ?? { server, network, count: 0 };
        holding.count++;
        held.set(key, holding);
        return verdict;
      },
      leave(server, network) {
        const key = `${server} ${network}`;
        const holding = held.get(key);
        if (!holding || released) return;
        shared.leave(server, network);
        if (--holding.count === 0) held.delete(key);
      },
    },
    release() {
      if (released) return;
      released = true;
      for (const { server, network, count } of held.values())
        for (let left = count; left > 0; left--) shared.leave(server, network);
      held.clear();
    },
  };
}
