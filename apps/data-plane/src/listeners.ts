import { faults } from '@sallyport/faults';
import type { FtpServer, HttpServer, ItemReport, SshServer } from '@sallyport/model';
import type { AdapterContext, Listener } from './adapter.ts';
import { createFtpListener } from './ftp/index.ts';
import { createHttpListener } from './http/index.ts';
import type { BuiltView } from './snapshot-view.ts';
import { createSshListener } from './ssh/index.ts';
import type { RunningServer } from './zone-view.ts';

/** The listeners of this process, one per server of the zone. */
export interface Listeners {
  /**
   * Makes the listeners what the view says: starts new ones, moves and changes running ones, closes those that are
   * gone. One that cannot be as it should stays as it was.
   *
   * @returns one report per server
   */
  apply(built: BuiltView): Promise<ItemReport[]>;
  /** Ports by server id, for servers that listen. */
  ports(): ReadonlyMap<string, number>;
  stopAccepting(): Promise<void>;
  close(): Promise<void>;
}

type AnyListener = {
  apply(running: RunningServer): ReturnType<Listener<SshServer>['apply']>;
  readonly port: number | undefined;
  stopAccepting(): Promise<void>;
  close(): Promise<void>;
};

/** The listener of a server's protocol; it is only ever given servers of that protocol. */
function listenerFor(context: AdapterContext, running: RunningServer): AnyListener {
  switch (running.server.protocol) {
    case 'ssh':
      return narrowed(createSshListener(context));
    case 'ftp':
      return narrowed(createFtpListener(context));
    case 'http':
      return narrowed(createHttpListener(context));
  }
}

const narrowed = <S extends SshServer | FtpServer | HttpServer>(listener: Listener<S>): AnyListener => ({
  apply: (running) => listener.apply(running as unknown as RunningServer<S>),
  get port() {
    return listener.port;
  },
  stopAccepting: () => listener.stopAccepting(),
  close: () => listener.close(),
});

export function createListeners(context: AdapterContext): Listeners {
  const listeners = new Map<string, AnyListener>();

  async function applyOne(running: RunningServer): Promise<ItemReport> {
    const item = `server:${running.server.name}`;
    let listener = listeners.get(running.server.id);
    if (!listener) {
      listener = listenerFor(context, running);
      listeners.set(running.server.id, listener);
    }
    try {
      const applied = await listener.apply(running);
      if (applied.ok) return { item, result: 'ack' };
      const { code, detail } = applied.fault;
      return { item, result: 'nack', fault: code, detail: detail ?? faults[code].text };
    } catch {
      return { item, result: 'nack', fault: 'item-engine-refused', detail: 'the engine failed' };
    }
  }

  return {
    async apply({ view, items, quarantined }) {
      const wanted = new Set(view.servers.map(({ server }) => server.id));
      // What is gone frees its port first: another server may take it over in the same change.
      for (const [id, listener] of listeners) {
        if (wanted.has(id)) continue;
        listeners.delete(id);
        await listener.close();
      }
      const applied: ItemReport[] = [];
      for (const running of view.servers) {
        const held = items.find(({ item }) => item === `server:${running.server.name}`);
        applied.push(quarantined.has(running.server.id) && held ? held : await applyOne(running));
      }
      return applied;
    },
    ports() {
      const ports = new Map<string, number>();
      for (const [id, { port }] of listeners) if (port !== undefined) ports.set(id, port);
      return ports;
    },
    async stopAccepting() {
      await Promise.all([...listeners.values()].map((listener) => listener.stopAccepting()));
    },
    async close() {
      await Promise.all([...listeners.values()].map((listener) => listener.close()));
      listeners.clear();
    },
  };
}
