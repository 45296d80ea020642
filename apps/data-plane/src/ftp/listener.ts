import { createServer, type Server, type Socket } from 'node:net';
import { ok, type Result, refuse } from '@sallyport/faults';
import { formatReply, reply } from '@sallyport/ftp';
import type { FtpServer } from '@sallyport/model';
import type { AdapterContext, Listener } from '../adapter.ts';
import { createTlsAcceptor, type TlsAcceptor } from '../tls/acceptor.ts';
import type { RunningServer } from '../zone-view.ts';
import { plainAddress } from './address.ts';
import { serveControl } from './control-connection.ts';
import { createPassivePorts } from './passive-ports.ts';

/** What new connections meet. */
type Definition = { readonly running: RunningServer<FtpServer>; readonly acceptor: TlsAcceptor | undefined };

type Bound = { readonly server: Server; readonly host: string; readonly askedPort: number };

/**
 * Serves FTP for one server of the zone. One port is one kind: `implicitTls` makes it implicit FTPS, whatever `plain`
 * and `explicitTls` say; else `explicitTls` offers AUTH TLS, and `plain` lets a login stay in clear where the policy
 * does. TLS sessions of the control connection may be resumed on its data connections; that they must be is refused.
 *
 * Faults of `apply`: `item-key-missing`, `item-key-mismatch`, `item-engine-refused`, `item-port-in-use`.
 *
 * @param options.random from 0 up to 1, see `createPassivePorts`
 */
export function createFtpListener(
  context: AdapterContext,
  options: { readonly random?: () => number } = {},
): Listener<FtpServer> {
  const ports = createPassivePorts(options.random ?? secureRandom);
  const sockets = new Set<Socket>();
  const perAddress = new Map<string, number>();
  let current: Definition | undefined;
  let bound: Bound | undefined;
  let applying: Promise<unknown> = Promise.resolve();

  function accept(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    const definition = current;
    const source = plainAddress(socket.remoteAddress);
    if (!definition || source === '') {
      socket.destroy();
      return;
    }
    const { limits, ftp } = definition.running.server;
    const same = perAddress.get(source) ?? 0;
    if (sockets.size >= limits.maxConnections || same >= limits.maxConnectionsPerAddress) {
      if (!ftp.implicitTls) socket.write(formatReply(reply(421, 'Too many connections.')));
      socket.destroySoon();
      return;
    }
    sockets.add(socket);
    perAddress.set(source, same + 1);
    socket.once('close', () => {
      sockets.delete(socket);
      const left = (perAddress.get(source) ?? 1) - 1;
      if (left > 0) perAddress.set(source, left);
      else perAddress.delete(source);
    });
    void serveControl(socket, {
      context,
      accepted: definition.running,
      running: () => current?.running ?? definition.running,
      acceptor: definition.acceptor,
      ports,
    });
  }

  /** The TLS side for a definition; the one in use is changed in place, so that its sessions can be resumed. */
  function acceptorFor(running: RunningServer<FtpServer>): Result<TlsAcceptor | undefined> {
    const { ftp } = running.server;
    if (ftp.tlsSessionReuse === 'required') {
      // Any session of this listener would pass for the account's own: a promise that is not kept is not made.
      return refuse('item-engine-refused', 'TLS session reuse cannot be required yet; use preferred');
    }
    if (!ftp.implicitTls && !ftp.explicitTls) {
      return ftp.plain ? ok(undefined) : refuse('item-engine-refused', 'neither plain nor TLS is allowed');
    }
    const acceptor = current?.acceptor ?? createTlsAcceptor({ context, running });
    const updated = acceptor.update(running);
    return updated.ok ? ok(acceptor) : updated;
  }

  function unbind(): void {
    bound?.server.close();
    bound = undefined;
  }

  async function bind(host: string, port: number): Promise<Result<void>> {
    if (bound && bound.host === host && bound.askedPort === port) return ok(undefined);
    const before = bound;
    // Another address with the same port may overlap with the old one: that is let go of first.
    const overlaps = before !== undefined && before.askedPort === port;
    if (overlaps) unbind();
    const opened = await listenOn(host, port, accept);
    if (opened.ok) {
      if (!overlaps) unbind();
      bound = opened.value;
      return ok(undefined);
    }
    if (overlaps) {
      const again = await listenOn(before.host, before.askedPort, accept);
      if (again.ok) bound = again.value;
    }
    return opened;
  }

  async function apply(running: RunningServer<FtpServer>): Promise<Result<void>> {
    if (running.server.state === 'suspended') {
      unbind();
      current = undefined;
      return ok(undefined);
    }
    const acceptor = acceptorFor(running);
    if (!acceptor.ok) return acceptor;
    const before = current;
    // Set before the socket listens: a client may be waiting for it.
    current = { running, acceptor: acceptor.value };
    const listening = await bind(running.server.host, running.server.port);
    if (!listening.ok) {
      current = before;
      if (before) before.acceptor?.update(before.running);
    }
    return listening;
  }

  return {
    apply(running) {
      const applied = applying.then(() => apply(running));
      applying = applied.catch(() => {});
      return applied;
    },
    get port() {
      const address = bound?.server.address();
      return typeof address === 'object' && address !== null ? address.port : undefined;
    },
    async stopAccepting() {
      await applying;
      unbind();
    },
    async close() {
      await applying;
      unbind();
      current = undefined;
      await Promise.all(
        [...sockets].map(
          (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve()).destroy()),
        ),
      );
    },
  };
}

/** Data ports must not be foretold: whoever guesses the next one could be there before the client. */
const secureRandom = (): number => (crypto.getRandomValues(new Uint32Array(1))[0] as number) / 2 ** 32;

function listenOn(host: string, port: number, accept: (socket: Socket) => void): Promise<Result<Bound>> {
  return new Promise((resolve) => {
    const server = createServer({ noDelay: true }, accept);
    server.on('error', (error: NodeJS.ErrnoException) => {
      const code = error.code === 'EADDRINUSE' ? 'item-port-in-use' : 'item-engine-refused';
      resolve(refuse(code, `${host}:${port}: ${error.code ?? 'the address cannot be taken'}`));
    });
    server.listen({ host, port }, () => resolve(ok({ server, host, askedPort: port })));
  });
}
