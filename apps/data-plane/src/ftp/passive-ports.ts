import { createServer, type Server, type Socket } from 'node:net';
import type { PassiveRange } from '@sallyport/model';
import type { ProcessSlot } from '../adapter.ts';
import { plainAddress } from '../front-door.ts';
import type { DataPort } from './data-connection.ts';

/** A port that waits for one data connection and then listens no more. */
export interface PassivePort extends DataPort {
  readonly port: number;
}

/** The passive ports of one listener. */
export interface PassivePorts {
  /**
   * @param host local address to bind: that of the control connection
   * @param peer the only address that may connect; others are cut off and the wait goes on
   * @param holder who asks, by account: one may hold half of a range, so that others are never without
   * @returns nothing where every port of the range is in use, or the holder has its share
   */
  open(request: {
    readonly range: PassiveRange;
    readonly host: string;
    readonly peer: string;
    readonly holder: string;
  }): Promise<PassivePort | undefined>;
}

/** A port that nobody came to is given back after this time. */
const unusedPortMs = 60_000;
/** Connections that may queue: the peer's one, and strangers that knock on it. */
const backlog = 16;

/**
 * @param random a number from 0 up to 1, where the search of a range starts: ports must not be foretold
 * @param slot among processes that serve the same listener each has its own part of a range, so that no port is tried
 *   by two; of a range smaller than their number all have all, and the system refuses the second
 */
export function createPassivePorts(
  random: () => number,
  slot: ProcessSlot = { index: 0, of: 1 },
): PassivePorts {
  const taken = new Set<number>();
  const held = new Map<string, number>();
  const hold = (holder: string, change: 1 | -1): void => {
    const count = (held.get(holder) ?? 0) + change;
    if (count > 0) held.set(holder, count);
    else held.delete(holder);
  };

  return {
    async open({ range, host, peer, holder }) {
      const all = range.to - range.from + 1;
      const { index, of } = all < slot.of ? { index: 0, of: 1 } : slot;
      const size = Math.ceil((all - index) / of);
      if ((held.get(holder) ?? 0) >= Math.ceil(size / 2)) return undefined;
      hold(holder, 1);
      const release = (port: number): void => {
        taken.delete(port);
        hold(holder, -1);
      };
      const start = Math.floor(random() * size);
      for (let offset = 0; offset < size; offset++) {
        const port = range.from + index + of * ((start + offset) % size);
        if (taken.has(port)) continue;
        taken.add(port);
        const server = await listenExclusively(host, port);
        if (server) return passivePort(server, port, peer, () => release(port));
        taken.delete(port);
      }
      hold(holder, -1);
      return undefined;
    },
  };
}

/** `exclusive`: cluster workers that share a port would get each other's data connections. */
function listenExclusively(host: string, port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    // Half open: who has sent all of an upload may still be answered with a closure alert, and who reads a download
    // may have ended its own side long before.
    const server = createServer({ noDelay: true, pauseOnConnect: true, allowHalfOpen: true });
    server.on('error', () => resolve(undefined));
    server.listen({ host, port, exclusive: true, backlog }, () => resolve(server));
  });
}

function passivePort(server: Server, port: number, peer: string, release: () => void): PassivePort {
  let arrived: Socket | undefined;
  let closed = false;
  let waiting: ((socket: Socket | undefined) => void) | undefined;

  const stopListening = (): void => {
    if (closed) return;
    closed = true;
    clearTimeout(unused);
    server.close();
    // The accepted connection goes on under the same number, and a new listener does not mind it.
    release();
  };
  const unused = setTimeout(stopListening, unusedPortMs);

  server.on('connection', (socket) => {
    socket.on('error', () => socket.destroy());
    if (arrived || plainAddress(socket.remoteAddress) !== peer) {
      socket.destroy();
      return;
    }
    stopListening();
    arrived = socket;
    waiting?.(socket);
  });

  return {
    port,
    connection(timeoutMs) {
      if (arrived || closed) {
        const socket = arrived;
        arrived = undefined;
        return Promise.resolve(socket);
      }
      return new Promise((resolve) => {
        const timer = setTimeout(() => waiting?.(undefined), timeoutMs);
        waiting = (socket) => {
          clearTimeout(timer);
          waiting = undefined;
          arrived = undefined;
          stopListening();
          resolve(socket);
        };
      });
    },
    close() {
      stopListening();
      waiting?.(undefined);
      arrived?.destroy();
      arrived = undefined;
    },
  };
}
