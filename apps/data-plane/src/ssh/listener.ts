import { ok, type Result } from '@sallyport/faults';
import type { SshServer } from '@sallyport/model';
import type { AdapterContext, Listener } from '../adapter.ts';
import { createFrontDoor } from '../front-door.ts';
import type { RunningServer } from '../zone-view.ts';
import { SshConnection } from './connection.ts';
import { type ConnectionNotice, ConnectionRecord } from './connection-record.ts';
import { createSshEngine, type SshEngine } from './engine.ts';
import { hostKeysOf } from './host-keys.ts';
import { hybridKems } from './hybrid-kem.ts';
import { TransferMemory } from './transfer-memory.ts';

/** What new connections meet. */
type Definition = { readonly server: SshServer; readonly engine: SshEngine };

/**
 * Serves SSH for one server of the zone.
 * A change of host or port moves the listening socket; any other change is met by new connections only.
 *
 * Faults of `apply`: `item-key-missing`, `item-engine-refused`, `item-port-in-use`.
 */
export function createSshListener(context: AdapterContext): Listener<SshServer> {
  let current: Definition | undefined;
  const memory = new TransferMemory();
  let applying: Promise<unknown> = Promise.resolve();

  const door = createFrontDoor({
    definition: () => current?.server,
    connections: context.connections,
    onLimited: (source, reason) => {
      const server = current?.server.id;
      if (server) context.notice({ kind: 'listener', server, source, outcome: 'refused', reason });
    },
    enter(socket, source) {
      const { server, engine } = current as Definition;
      const notice: ConnectionNotice = (told) => context.notice({ server: server.id, source, ...told });
      const record = new ConnectionRecord(engine, notice);
      const attempt = context.login.open({
        server: server.id,
        source,
        channel: 'encrypted',
        detail: () => record.loginDetail(),
      });
      new SshConnection({ socket, engine, server, attempt, record, notice, now: context.now });
    },
  });

  async function apply(running: RunningServer<SshServer>): Promise<Result<void>> {
    const { server } = running;
    if (server.state === 'suspended') {
      door.shut();
      current = undefined;
      return ok(undefined);
    }
    const algorithms = running.algorithms.ssh;
    const hostKeys = await hostKeysOf(running.identities, algorithms.hostKeys);
    if (!hostKeys.ok) return hostKeys;
    const engine = createSshEngine({
      hostKeys: hostKeys.value,
      algorithms,
      hybrids: await hybridKems(algorithms.kex),
      rekey: { bytes: server.ssh.rekeyMebibytes * 2 ** 20, ms: server.ssh.rekeySeconds * 1_000 },
      keepaliveMs: server.ssh.keepaliveSeconds * 1_000,
      banner: server.banner,
      memory,
    });
    if (!engine.ok) return engine;
    const before = current;
    current = { server, engine: engine.value };
    const listening = await door.moveTo(server.host, server.port);
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
