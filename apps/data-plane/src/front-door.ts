import { createServer, type Server, type Socket } from 'node:net';
import { ok, type Result, refuse } from '@sallyport/faults';
import type { Server as Listening } from '@sallyport/model';
import { addressIn } from '@sallyport/policy';
import { createConnectionCount } from './connection-count.ts';
import { type ConnectionGate, createConnectionGate, type DoorLimit } from './connection-gate.ts';
import { takeProxyHeader } from './proxy-protocol.ts';
import { sourceNetwork } from './source-network.ts';

export type FrontDoorOptions = {
  /** What is in force at this moment; nothing: nobody is let in. */
  readonly definition: () => Pick<Listening, 'id' | 'limits' | 'proxyProtocolFrom'> | undefined;
  /** Who counts; the door alone where it is left out. */
  readonly connections?: ConnectionGate | undefined;
  /** A connection within the limits. It is counted until it closes; what is thrown here destroys it. */
  readonly enter: (socket: Socket, source: string) => void;
  /** A connection above a limit: may say so and must end it. It is destroyed where this is left out. */
  readonly full?: (socket: Socket) => void;
  /** A source is above a limit; told once a minute for each. */
  readonly onLimited?: (source: string, limit: DoorLimit) => void;
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

/** A balancer sends its header first of all. */
const proxyHeaderMs = 5_000;
const tellAgainMs = 60_000;
const mostToldSources = 1_000;

export function createFrontDoor(options: FrontDoorOptions): FrontDoor {
  const sockets = new Set<Socket>();
  const clients = options.connections ?? createConnectionGate(() => performance.now());
  // Of this process alone: they hold a place for as long as a header takes.
  const balancers = createConnectionCount();
  const limited = createLimitTeller(options.onLimited);
  let bound: Bound | undefined;

  function accept(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    const source = plainAddress(socket.remoteAddress);
    const definition = options.definition();
    if (!definition || source === '') return void socket.destroy();
    if (addressIn(source, definition.proxyProtocolFrom)) void fromBalancer(socket, source, definition);
    else void admit(socket, source);
  }

  /** The client that a balancer speaks for is who is counted, judged and told of. */
  async function fromBalancer(
    socket: Socket,
    balancer: string,
    { limits }: NonNullable<ReturnType<FrontDoorOptions['definition']>>,
  ): Promise<void> {
    // One that sends no header holds a place like everybody else, as long as it may.
    const admitted = balancers.enter(balancer, {
      maxConnections: limits.maxConnections,
      maxConnectionsPerAddress: limits.maxConnections,
    });
    if (!admitted) return void socket.destroy();
    const header = await takeProxyHeader(socket, proxyHeaderMs);
    balancers.leave(balancer);
    if (!header || socket.destroyed) return;
    if (header.kind === 'local') return admit(socket, balancer);
    const source = plainAddress(header.address);
    Object.defineProperties(socket, {
      remoteAddress: { value: source, configurable: true },
      remotePort: { value: header.port, configurable: true },
    });
    admit(socket, source);
  }

  async function admit(socket: Socket, source: string): Promise<void> {
    const definition = options.definition();
    if (!definition) return void socket.destroy();
    const network = sourceNetwork(source);
    const { maxConnections, maxConnectionsPerAddress, connectionsPerMinutePerAddress } = definition.limits;
    const limits = { maxConnections, maxConnectionsPerAddress, connectionsPerMinutePerAddress };
    const verdict = await clients.enter(definition.id, network, limits).catch(() => 'uncounted' as const);
    if (verdict === 'uncounted') return void socket.destroy();
    if (verdict !== 'entered') {
      limited(source, verdict);
      if (options.full && !socket.destroyed) options.full(socket);
      else socket.destroy();
      return;
    }
    const leave = () => clients.leave(definition.id, network);
    // Asking may have taken longer than the connection, or the server, was there.
    if (socket.destroyed || !options.definition()) {
      leave();
      return void socket.destroy();
    }
    socket.once('close', leave);
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

/** Passes on the first of many refusals: a flood of connections must not become a flood of events. */
function createLimitTeller(onLimited: FrontDoorOptions['onLimited']): NonNullable<typeof onLimited> {
  const told = new Map<string, number>();
  return (source, limit) => {
    const now = performance.now();
    const last = told.get(source);
    if (last !== undefined && now - last < tellAgainMs) return;
    if (told.size >= mostToldSources) {
      for (const [other, at] of told) if (now - at >= tellAgainMs) told.delete(other);
      if (told.size >= mostToldSources) return;
    }
    told.set(source, now);
    onLimited?.(source, limit);
  };
}

function portOf(server: Server): number | undefined {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : undefined;
}

/** Connections that may wait to be taken in: a crowd that comes at once must not make clients try again. */
const backlog = 4_096;

function listenOn(host: string, port: number, accept: (socket: Socket) => void): Promise<Result<Bound>> {
  return new Promise((resolve) => {
    const server = createServer({ noDelay: true }, accept);
    // Stays for the server's life: being out of descriptors, for one, passes.
    server.on('error', (error: NodeJS.ErrnoException) => {
      const code = error.code === 'EADDRINUSE' ? 'item-port-in-use' : 'item-engine-refused';
      resolve(refuse(code, `${host}:${port}: ${error.code ?? 'the address cannot be taken'}`));
    });
    server.listen({ host, port, backlog }, () => resolve(ok({ server, host, askedPort: port })));
  });
}
