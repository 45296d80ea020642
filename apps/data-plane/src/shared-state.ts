import { type ConnectionGate, ownConnections } from './connection-gate.ts';
import type { LockTable } from './http/dav/lock-table.ts';
import type { WebSessionStore } from './http/web-session/store.ts';
import type { Lockouts } from './lockout/lockouts.ts';
import type { SessionDirectory, SessionPlaces } from './session-directory.ts';
import type { TlsMemories } from './tls/memories.ts';
import { createMemoryDesk, type MemoryDesk } from './tls/shared-memories.ts';

/** What all processes of a node must see alike: a limit that each counts for itself would be as many times as high. */
export type SharedState = {
  readonly connections: ConnectionGate;
  readonly sessions: SessionPlaces;
  readonly lockouts: Lockouts;
  readonly webSessions: WebSessionStore;
  readonly locks: LockTable;
  readonly tls: TlsMemories;
};

/** The same for one of several processes, by methods that take and give plain data: they are called from there. */
export type StatePorts = Omit<SharedState, 'tls'> & { readonly tls: Pick<MemoryDesk, 'take' | 'answer'> };

/** Where the shared state is kept. */
export type KeptState = Omit<SharedState, 'sessions'> & { readonly sessions: SessionDirectory };

/**
 * The state for one of several processes.
 *
 * @returns `lost` takes back whatever the process held, once it is gone
 */
export function statePortsOf(kept: KeptState): {
  readonly ports: StatePorts;
  lost(): void;
} {
  const connections = ownConnections(kept.connections);
  const sessions = kept.sessions.forProcess();
  const tls = createMemoryDesk(kept.tls);
  const { check, failed, succeeded, spendStep } = kept.lockouts;
  return {
    ports: {
      connections: connections.gate,
      sessions: sessions.places,
      lockouts: { check, failed, succeeded, spendStep },
      webSessions: kept.webSessions,
      locks: kept.locks,
      tls: { take: tls.take, answer: tls.answer },
    },
    lost() {
      connections.release();
      tls.close();
      sessions.lost();
    },
  };
}
