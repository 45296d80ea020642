import { setTimeout as pause } from 'node:timers/promises';
import type { ItemReport, ServingState } from '@sallyport/model';
import { filesRootAt } from './account-files.ts';
import type { ProcessSlot } from './adapter.ts';
import type { NewEvent } from './agent/event-spool.ts';
import { createListeners } from './listeners.ts';
import { createLoginDesk } from './login-desk.ts';
import { loginEvent, noticeEvent, sessionEvents } from './node-events.ts';
import { createVerifiedPasswords } from './password/cache.ts';
import { createPasswordVerifier } from './password/verifier.ts';
import { createSessionRegistry } from './session-registry.ts';
import { createSessionResumption } from './session-resumption.ts';
import type { SharedState } from './shared-state.ts';
import type { BuiltView } from './snapshot-view.ts';
import type { ZoneView } from './zone-view.ts';

export type ServingOptions = {
  /** Folder that holds the homes of accounts. */
  readonly filesRoot: string;
  readonly now: () => number;
  /** Whether the snapshot may still be served. */
  readonly serving: () => ServingState;
  readonly state: SharedState;
  readonly record: (event: NewEvent) => void;
  /** Left out where no other process serves the same. */
  readonly slot?: ProcessSlot;
};

/** What serves in one process: its login desk, its sessions and its listeners. */
export interface Serving {
  /** @returns one report per server */
  apply(built: BuiltView): Promise<readonly ItemReport[]>;
  endSessions(ids: readonly string[]): void;
  ports(): ReadonlyMap<string, number>;
  drain(graceMs: number): Promise<void>;
}

const overduePeriodMs = 1_000;
const redecidePeriodMs = 10_000;

/** Makes what serves; before the first `apply` it serves nothing. */
export function startServing(options: ServingOptions): Serving {
  const { now, state, record } = options;
  let view: ZoneView | undefined;
  const currentView = (): ZoneView => {
    if (!view) throw new Error('no snapshot is applied yet');
    return view;
  };
  const filesRoot = filesRootAt(options.filesRoot);
  const passwords = createPasswordVerifier();
  const sessions = createSessionRegistry(currentView, now, sessionEvents(record, now), state.sessions);
  const login = createLoginDesk({
    view: currentView,
    serving: options.serving,
    now,
    passwords,
    verifiedPasswords: createVerifiedPasswords(now),
    lockouts: state.lockouts,
    sessions,
    filesRoot,
    record: (login) => record(loginEvent(login)),
    pause,
  });
  const listeners = createListeners({
    login,
    view: currentView,
    now,
    notice: (notice) => record(noticeEvent(notice)),
    connections: state.connections,
    tlsMemories: state.tls,
    webSessions: state.webSessions,
    locks: state.locks,
    resume: createSessionResumption({ view: currentView, sessions, filesRoot }),
    ...(options.slot === undefined ? {} : { slot: options.slot }),
  });
  const timers = [
    // A credential may end by the clock alone, without a change that would have it looked at.
    setInterval(() => view && void sessions.redecideAll(view), redecidePeriodMs),
    setInterval(() => {
      if (!view) return;
      sessions.endOverdue();
      if (options.serving() === 'refusing') sessions.endAll('service-refusing');
    }, overduePeriodMs),
  ];

  return {
    async apply(built) {
      view = built.view;
      // Sessions first: what was revoked ends before a new connection is served.
      await sessions.redecideAll(built.view);
      return listeners.apply(built);
    },
    endSessions: (ids) => sessions.endThose(ids, 'ended-by-operator'),
    ports: () => listeners.ports(),
    async drain(graceMs) {
      for (const timer of timers) clearInterval(timer);
      await listeners.stopAccepting();
      sessions.stopOperations();
      const deadline = now() + graceMs;
      while (sessions.size > 0 && now() < deadline) await pause(20);
      sessions.endAll('shutdown');
      await listeners.close();
      await passwords.close();
    },
  };
}
