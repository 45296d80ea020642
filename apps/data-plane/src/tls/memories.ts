import { randomBytes } from 'node:crypto';
import { type ChainMemory, createChainMemory } from './chain-memory.ts';
import { createSessionHolders, type SessionHolders } from './session-holders.ts';
import { createSessionStore, type SessionStore } from './session-store.ts';
import { createTicketKeys, type OwnTicketKeys, type TicketKeys, ticketLifetimeMs } from './ticket-keys.ts';

/**
 * What TLS listeners remember from one connection to the next. Processes that share ticket keys share all of it
 * (design section 4): what these functions take and give is plain data, and what may be elsewhere is a promise.
 */
export type TlsMemories = {
  readonly ticketKeys: TicketKeys;
  readonly chains: ChainMemory;
  readonly sessions: SessionStore;
  readonly holders: SessionHolders;
};

const capacity = 10_000;

/**
 * The memories of one process.
 *
 * @param now milliseconds since the epoch
 * @param rememberedChains most chains of each standing; default 10,000
 */
export function createTlsMemories(options: {
  readonly now: () => number;
  readonly rememberedChains?: number;
}): TlsMemories & { readonly ticketKeys: OwnTicketKeys } {
  const { now } = options;
  const bounds = { capacity, lifetimeMs: ticketLifetimeMs, now };
  return {
    ticketKeys: createTicketKeys({ now, random: randomBytes }),
    chains: createChainMemory({ ...bounds, capacity: options.rememberedChains ?? capacity }),
    sessions: createSessionStore(bounds),
    holders: createSessionHolders(bounds),
  };
}
