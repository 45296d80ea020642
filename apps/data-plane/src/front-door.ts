import { createServer, type Server, type Socket } from 'node:net';
import { ok, type Result, refuse } from '@sallyport/faults';
import type { Limits } from '@sallyport/model';
import { createConnectionCount } from './connection-count.ts';
import { sourceNetwork } from './source-network.ts';

export type FrontDoorOptions = {
  /** Limits of this moment; nothing: nobody is let in. */
  readonly limits: () => Pick<Limits, 'maxConnections' | 'maxConnectionsPerAddress'> | undefined;
  /** A connection within the limits. It is counted until it closes; what is thrown here destroys it. */
  readonly enter: (socket: Socket, source: string) => void;
  /** A connection above a limit: may say so and must end it. It is destroyed where this is left out. */
  readonly full?: (socket: Socket) => void;
};

/** The listening socket of one server and the connections that came through it. */
export interface FrontDoor {
  /** Port that it listens on. */
  readonly port: number | undefined;
  /**
   * Listens on an address; where it does so already nothing happens, and on a failure it goes on where it was.
   * Port 0 leaves the choice to the system; having chosen, it stays.
   *
   * @returns `item-port-in-use` where somebody else listens there, `item-engine-refused` for any other refusal
   */
  moveTo(host: string, port: number): Promise<Result<void>>;
  /** Stops listening; connections stay. */
  shut(): void;
  /** Stops listening and destroys every connection. */
  close(): Promise<void>;
}

/** An address as people write it: a socket that takes both families gives IPv4 in IPv6 form. */
export const plainAddress = (address: string | undefined): string =>
  (address ?? '').replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');

type Bound = { readonly server: Server; readonly host: string; readonly askedPort: number };

export function createFrontDoor(options: FrontDoorOptions): FrontDoor {
  const sockets = new Set<Socket>();
  const count = createConnectionCount();
  let bound: Bound | undefined;

  function accept(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    const limits = options.limits();
    const source = plainAddress(socket.remoteAddress);
    if (!limits || source === '') return void socket.destroy();
    const leave = count.enter(sourceNetwork(source), limits);
    if (!leave) {
      if (options.full) options.full(socket);
      else socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.once('close', () => {
      sockets.delete(socket);
      leave();
    });
    try {
      options.enter(socket, source);
    } catch {
      socket.destroy();
    }
  }

  function shut(): void {
    bound?.server.close();
    bound = undefined;
  }

  return {
    get port() {
      return bound && portOf(bound.server);
    },

    async moveTo(host, port) {
      const before = bound && { ...bound, port: portOf(bound.server) };
      if (before?.host === host && (before.askedPort === port || before.port === port)) return ok(undefined);
      // Another address with the same port may overlap with the old one: that is let go of first.
      const overlaps = before !== undefined && before.port === port;
      if (overlaps) shut();
      const opened = await listenOn(host, port, accept);
      if (opened.ok) {
        if (!overlaps) shut();
        bound = opened.value;
        return ok(undefined);
      }
      if (overlaps) {
        const again = await listenOn(before.host, port, accept);
        if (again.ok) bound = again.value;
      }
      return opened;
    },

    shut,

    async close() {
      shut();
      await Promise.all(
        [...sockets].map(
          (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve()).destroy()),
        ),
      );
    },
  };
}

function portOf(server: Server): number | undefined {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : undefined;
}

function listenOn(host: string, port: number, accept: (socket: Socket) => void): Promise<Result<Bound>> {
  return new Promise((resolve) => {
    const server = createServer({ noDelay: true }, accept);
    // Stays for the server's life: being out of descriptors, for one, passes.
    server.on('error', (error: NodeJS.ErrnoException) => {
      const code = error.code === 'EADDRINUSE' ? 'item-port-in-use' : 'item-engine-refused';
      resolve(refuse(code, `${host}:${port}: ${error.code ?? 'the address cannot be taken'}`));
    });
    server.listen({ host, port }, () => resolve(ok({ server, host, askedPort: port })));
  });
}
