import { createServer, type Server, type Socket } from 'node:net';
import { ok, type Result } from '@sallyport/faults';
import type { SshServer } from '@sallyport/model';
import type { AdapterContext, Listener } from '../adapter.ts';
import type { RunningServer } from '../zone-view.ts';
import { algorithmsOf } from './algorithms.ts';
import { SshConnection } from './connection.ts';
import { createSshEngine, type SshEngine } from './engine.ts';
import { hostKeysOf } from './host-keys.ts';
import { listenOn } from './port.ts';

/** What new connections meet. */
type Definition = { readonly server: SshServer; readonly engine: SshEngine };

/** The socket that listens. */
type Bound = { readonly server: Server; readonly host: string; readonly port: number };

const portOf = (server: Server): number => {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};

/** IPv4 addresses come in IPv6 form from a socket that takes both. */
const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');

/**
 * Serves SSH for one server of the zone.
 * A change of host or port moves the listening socket; any other change is met by new connections only.
 *
 * Faults of `apply`: `item-key-missing`, `item-engine-refused`, `item-port-in-use`.
 */
export function createSshListener(context: AdapterContext): Listener<SshServer> {
  const sockets = new Set<Socket>();
  const perAddress = new Map<string, number>();
  let current: Definition | undefined;
  let bound: Bound | undefined;
  let applying: Promise<unknown> = Promise.resolve();

  function accept(socket: Socket): void {
    socket.on('error', () => {});
    const source = plainAddress(socket.remoteAddress ?? '');
    const definition = current;
    if (!definition || source === '' || !admits(definition.server, source)) return void socket.destroy();
    sockets.add(socket);
    perAddress.set(source, (perAddress.get(source) ?? 0) + 1);
    socket.once('close', () => {
      sockets.delete(socket);
      const left = (perAddress.get(source) ?? 1) - 1;
      if (left > 0) perAddress.set(source, left);
      else perAddress.delete(source);
    });
    try {
      const { server, engine } = definition;
      const attempt = context.login.open({ server: server.id, source, channel: 'encrypted' });
      new SshConnection({ socket, engine, server, attempt, now: context.now });
    } catch {
      socket.destroy();
    }
  }

  const admits = ({ limits }: SshServer, source: string): boolean =>
    sockets.size < limits.maxConnections && (perAddress.get(source) ?? 0) < limits.maxConnectionsPerAddress;

  function unbind(): void {
    bound?.server.close();
    bound = undefined;
  }

  async function bind(host: string, port: number): Promise<Result<void>> {
    // Port 0 leaves the choice to the system; having chosen, it stays.
    const before = bound;
    if (before && before.host === host && (port === 0 || before.port === port)) return ok(undefined);
    // Another address with the same port may overlap with the old one: that is let go of first.
    const overlaps = before !== undefined && before.port === port;
    if (overlaps) unbind();
    const opened = await listenOn(host, port, makeServer);
    if (opened.ok) {
      if (!overlaps) unbind();
      bound = { server: opened.value, host, port: portOf(opened.value) };
      return ok(undefined);
    }
    if (overlaps) {
      const again = await listenOn(before.host, before.port, makeServer);
      if (again.ok) bound = { server: again.value, host: before.host, port: before.port };
    }
    return opened;
  }

  const makeServer = (): Server => createServer({ noDelay: true }, accept);

  async function apply(running: RunningServer<SshServer>): Promise<Result<void>> {
    const { server } = running;
    if (server.state === 'suspended') {
      unbind();
      current = undefined;
      return ok(undefined);
    }
    const hostKeys = await hostKeysOf(running.identities);
    if (!hostKeys.ok) return hostKeys;
    const engine = createSshEngine({
      hostKeys: hostKeys.value,
      algorithms: algorithmsOf(server.algorithmPolicy),
      banner: server.banner,
    });
    if (!engine.ok) return engine;
    const before = current;
    current = { server, engine: engine.value };
    const listening = await bind(server.host, server.port);
    if (!listening.ok) current = before;
    return listening;
  }

  return {
    apply(running) {
      const applied = applying.then(() => apply(running));
      applying = applied.catch(() => {});
      return applied;
    },
    get port() {
      return bound?.port;
    },
    async stopAccepting() {
      await applying;
      unbind();
    },
    async close() {
      await applying;
      unbind();
      current = undefined;
      const closing = [...sockets].map(
        (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve()).destroy()),
      );
      await Promise.all(closing);
    },
  };
}
