import type { Result } from '@sallyport/faults';
import type { ConnectionGate } from './connection-gate.ts';
import type { EventDetail } from './event-detail.ts';
import type { LockTable } from './http/dav/lock-table.ts';
import type { WebSessionStore } from './http/web-session/store.ts';
import type { LoginDesk } from './login.ts';
import type { ResumeSession } from './session-resumption.ts';
import type { TlsMemories } from './tls/memories.ts';
import type { RunningServer, ZoneView } from './zone-view.ts';

/** Something worth a line in the event log that is neither a login nor a transfer. */
export type Notice = {
  readonly kind: 'connection' | 'host-key' | 'listener' | 'credential-exposed';
  readonly server: string;
  readonly source?: string;
  readonly account?: string;
  readonly outcome: 'refused' | 'failed' | 'permitted' | 'completed';
  readonly reason?: string;
  readonly detail?: EventDetail;
};

/** What every protocol adapter is given. */
export type AdapterContext = {
  readonly login: LoginDesk;
  /** The snapshot in force now. */
  readonly view: () => ZoneView;
  readonly now: () => number;
  readonly notice: (notice: Notice) => void;
  /** Counts the connections of all processes; where it is left out, each listener counts its own. */
  readonly connections?: ConnectionGate;
  /** What TLS listeners of all processes remember; where it is left out, each listener remembers for itself. */
  readonly tlsMemories?: TlsMemories;
  /** Where HTTP listeners of all processes look up web sessions and locks; else each keeps its own. */
  readonly webSessions?: WebSessionStore;
  readonly locks?: LockTable;
  /** Serves a session here as well that another process has opened; without it no listener does. */
  readonly resume?: ResumeSession;
  /** Which of the processes that serve alike this is; the only one where it is left out. */
  readonly slot?: ProcessSlot;
};

/** One of several processes that serve the same servers: what cannot be shared is divided among them. */
export type ProcessSlot = { readonly index: number; readonly of: number };

/**
 * One listener of one protocol. `apply` moves it to another definition without touching open connections;
 * only a change of host or port closes and opens the listening socket.
 */
export interface Listener<S> {
  /** Starts listening, or changes what new connections meet. Refuses with an item fault and then goes on as it was. */
  apply(running: RunningServer<S>): Promise<Result<void>>;
  /** Port that it listens on, after a successful `apply`. */
  readonly port: number | undefined;
  /** Stops accepting; open connections go on until their session ends or `close` is called. */
  stopAccepting(): Promise<void>;
  /** Stops accepting and destroys all connections. */
  close(): Promise<void>;
}
