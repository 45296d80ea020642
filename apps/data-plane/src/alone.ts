import type { ItemReport } from '@sallyport/model';
import type { Crew } from './crew.ts';
import { type ServingOptions, startServing } from './serving.ts';
import type { KeptState } from './shared-state.ts';

/** A crew of the agent's own process alone. */
export function serveAlone(
  options: Omit<ServingOptions, 'state' | 'slot'> & { readonly state: KeptState },
): Crew {
  const { sessions, ...state } = options.state;
  const serving = startServing({ ...options, state: { ...state, sessions: sessions.forProcess().places } });
  let items: readonly ItemReport[] = [];
  return {
    async apply(built) {
      items = await serving.apply(built);
    },
    items: () => items,
    // It asks the agent.
    renewed() {},
    endSessions: serving.endSessions,
    ports: serving.ports,
    drain: serving.drain,
  };
}
