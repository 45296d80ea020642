import type { ConnectionGate } from '../connection-gate.ts';
import type { LockTable } from '../http/dav/lock-table.ts';
import type { WebSessionStore } from '../http/web-session/store.ts';
import type { Lockouts } from '../lockout/lockouts.ts';
import type { SessionPlaces } from '../session-directory.ts';
import type { SharedState, StatePorts } from '../shared-state.ts';
import { createSharedMemories } from '../tls/shared-memories.ts';
import type { AdoptedTicketKeys, TicketSecret } from '../tls/ticket-keys.ts';
import type { Link } from './link.ts';
import { remotePort } from './remote-port.ts';

/**
 * The shared state as a worker sees it: every question goes to the primary, whose ports are `statePortsOf`.
 *
 * @param secrets what session tickets are sealed under, as the primary has handed it over
 * @param now milliseconds since the epoch
 */
export function remoteState(
  link: Link,
  secrets: readonly TicketSecret[],
  now: () => number,
): SharedState & { readonly tls: { readonly ticketKeys: AdoptedTicketKeys } } {
  const tls = remotePort<StatePorts['tls']>(link, 'tls', { take: 'tell', answer: 'ask' });
  return {
    connections: remotePort<ConnectionGate>(link, 'connections', { enter: 'ask', leave: 'tell' }),
    sessions: remotePort<SessionPlaces>(link, 'sessions', { enter: 'ask', mark: 'tell', leave: 'tell' }),
    lockouts: remotePort<Lockouts>(link, 'lockouts', {
      check: 'ask',
      failed: 'ask',
      succeeded: 'ask',
      spendStep: 'ask',
    }),
    webSessions: remotePort<WebSessionStore>(link, 'webSessions', {
      add: 'ask',
      seen: 'ask',
      peek: 'ask',
      remove: 'ask',
    }),
    locks: remotePort<LockTable>(link, 'locks', {
      acquire: 'ask',
      refresh: 'ask',
      release: 'ask',
      covering: 'ask',
      forget: 'ask',
    }),
    tls: createSharedMemories({ now, secrets, tell: tls.take, ask: tls.answer }),
  };
}
