import { ok, type Result, refuse } from '@sallyport/faults';
import { formatReply, reply } from '@sallyport/ftp';
import type { FtpServer } from '@sallyport/model';
import type { AdapterContext, Listener } from '../adapter.ts';
import { createFrontDoor } from '../front-door.ts';
import { createTlsAcceptor, type TlsAcceptor } from '../tls/acceptor.ts';
import type { RunningServer } from '../zone-view.ts';
import { serveControl } from './control-connection.ts';
import { createPassivePorts } from './passive-ports.ts';

/** What new connections meet. */
type Definition = { readonly running: RunningServer<FtpServer>; readonly acceptor: TlsAcceptor | undefined };

/**
 * Serves FTP for one server of the zone. One port is one kind: `implicitTls` makes it implicit FTPS, whatever `plain`
 * and `explicitTls` say; else `explicitTls` offers AUTH TLS, and `plain` lets a login stay in clear where the policy
 * does. `tlsSessionReuse` says whether data connections may, must or cannot resume a TLS session of the account.
 *
 * Faults of `apply`: `item-key-missing`, `item-key-mismatch`, `item-engine-refused`, `item-port-in-use`.
 *
 * @param options.random from 0 up to 1, see `createPassivePorts`
 */
export function createFtpListener(
  context: AdapterContext,
  options: { readonly random?: () => number } = {},
): Listener<FtpServer> {
  const ports = createPassivePorts(options.random ?? secureRandom, context.slot);
  let current: Definition | undefined;
  let applying: Promise<unknown> = Promise.resolve();

  const door = createFrontDoor({
    definition: () => current?.running.server,
    connections: context.connections,
    onLimited: (source, reason) => {
      const server = current?.running.server.id;
      if (server) context.notice({ kind: 'listener', server, source, outcome: 'refused', reason });
    },
    enter(socket) {
      const definition = current as Definition;
      void serveControl(socket, {
        context,
        accepted: definition.running,
        running: () => current?.running ?? definition.running,
        acceptor: definition.acceptor,
        ports,
      });
    },
    full(socket) {
      if (!current?.running.server.ftp.implicitTls)
        socket.write(formatReply(reply(421, 'Too many connections.')));
      socket.destroySoon();
    },
  });

  /** The TLS side for a definition; the one in use is changed in place, so that its sessions can be resumed. */
  function acceptorFor(running: RunningServer<FtpServer>): Result<TlsAcceptor | undefined> {
    const { ftp } = running.server;
    if (!ftp.implicitTls && !ftp.explicitTls) {
      return ftp.plain ? ok(undefined) : refuse('item-engine-refused', 'neither plain nor TLS is allowed');
    }
    const acceptor = current?.acceptor ?? createTlsAcceptor({ context, running, alpn: ['ftp'] });
    const updated = acceptor.update(running);
    return updated.ok ? ok(acceptor) : updated;
  }

  async function apply(running: RunningServer<FtpServer>): Promise<Result<void>> {
    if (running.server.state === 'suspended') {
      door.shut();
      current = undefined;
      return ok(undefined);
    }
    const acceptor = acceptorFor(running);
    if (!acceptor.ok) return acceptor;
    const before = current;
    // Set before the socket listens: a client may be waiting for it.
    current = { running, acceptor: acceptor.value };
    const listening = await door.moveTo(running.server.host, running.server.port);
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
      return door.port;
    },
    async stopAccepting() {
      await applying;
      door.shut();
    },
    async close() {
      await applying;
      current = undefined;
      await door.close();
    },
  };
}

/** Data ports must not be foretold: whoever guesses the next one could be there before the client. */
const secureRandom = (): number => (crypto.getRandomValues(new Uint32Array(1))[0] as number) / 2 ** 32;
