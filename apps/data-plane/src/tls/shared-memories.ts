import { type Bytes, fromBase64, toBase64 } from '@sallyport/bytes';
import type { ChainKey } from './chain-memory.ts';
import { createTlsMemories, type TlsMemories } from './memories.ts';
import type { SessionHolder } from './session-holders.ts';
import type { StoredSession } from './session-store.ts';
import { type AdoptedTicketKeys, adoptTicketKeys, type TicketSecret } from './ticket-keys.ts';

/** What a process says to the one that keeps the memories of all. JSON carries it. */
export type MemoryMessage =
  | {
      readonly kind: 'remember-chain';
      readonly key: ChainKey;
      readonly chain: readonly string[];
      readonly standing: 'accepted' | 'refused';
    }
  | { readonly kind: 'put-session'; readonly id: string; readonly session: StoredSession }
  | { readonly kind: 'open-control'; readonly control: string }
  | { readonly kind: 'bind-control'; readonly control: string; readonly holder: SessionHolder }
  | { readonly kind: 'close-control'; readonly control: string };

/** What a process asks it. */
export type MemoryQuestion =
  | { readonly kind: 'chain'; readonly key: ChainKey }
  | { readonly kind: 'session'; readonly id: string }
  | { readonly kind: 'holder'; readonly control: string };

/** The answer to a question; the field of its kind is left out where nothing is known. */
export type MemoryAnswer = {
  readonly chain?: readonly string[];
  readonly session?: StoredSession;
  readonly holder?: SessionHolder;
};

/** The side of the process that keeps the memories, one for each of the others. */
export interface MemoryDesk {
  take(message: MemoryMessage): void;
  answer(question: MemoryQuestion): Promise<MemoryAnswer>;
  /** That process is gone, and with it its control connections. */
  close(): void;
}

/** @param memories those of all processes */
export function createMemoryDesk({ chains, sessions, holders }: TlsMemories): MemoryDesk {
  const open = new Set<string>();
  const chainOf = (chain: readonly string[]): Bytes[] => chain.map((der) => fromBase64(der));
  return {
    take(message) {
      switch (message.kind) {
        case 'remember-chain':
          return chains.remember(message.key, chainOf(message.chain), message.standing);
        case 'put-session':
          return sessions.put(message.id, message.session);
        case 'open-control':
          open.add(message.control);
          return holders.open(message.control);
        case 'bind-control':
          return holders.bind(message.control, message.holder);
        case 'close-control':
          open.delete(message.control);
          return holders.close(message.control);
      }
    },
    async answer(question) {
      switch (question.kind) {
        case 'chain': {
          const chain = await chains.recall(question.key);
          return chain ? { chain: chain.map(toBase64) } : {};
        }
        case 'session': {
          const session = await sessions.find(question.id);
          return session ? { session } : {};
        }
        case 'holder': {
          const holder = await holders.holderOf(question.control);
          return holder ? { holder } : {};
        }
      }
    },
    close() {
      for (const control of open) holders.close(control);
      open.clear();
    },
  };
}

/**
 * The memories of one process among several: its own first, then those that a `MemoryDesk` of another process keeps.
 *
 * @param tell sends a message; none comes back
 * @param ask must settle in bounded time; a rejection counts as nothing known
 * @param secrets what `OwnTicketKeys.secrets` of the keeper gave; later ones go to `ticketKeys.adopt`, at least each
 *   half hour
 */
export function createSharedMemories(options: {
  readonly now: () => number;
  readonly secrets: readonly TicketSecret[];
  readonly tell: (message: MemoryMessage) => void;
  readonly ask: (question: MemoryQuestion) => Promise<MemoryAnswer>;
}): TlsMemories & { readonly ticketKeys: AdoptedTicketKeys } {
  const { tell, now } = options;
  const own = createTlsMemories({ now });
  const ask = (question: MemoryQuestion): Promise<MemoryAnswer> => options.ask(question).catch(() => ({}));

  return {
    ticketKeys: adoptTicketKeys(options.secrets, now),
    chains: {
      remember(key, chain, standing) {
        own.chains.remember(key, chain, standing);
        // What strangers present is not carried about: forgotten, it costs them a refusal all the same.
        if (standing === 'accepted')
          tell({ kind: 'remember-chain', key, chain: chain.map(toBase64), standing });
      },
      async recall(key) {
        const known = await own.chains.recall(key);
        return known ?? (await ask({ kind: 'chain', key })).chain?.map((der) => fromBase64(der));
      },
    },
    sessions: {
      put(id, session) {
        own.sessions.put(id, session);
        tell({ kind: 'put-session', id, session });
      },
      async find(id) {
        return (await own.sessions.find(id)) ?? (await ask({ kind: 'session', id })).session;
      },
    },
    holders: {
      open(control) {
        own.holders.open(control);
        tell({ kind: 'open-control', control });
      },
      bind(control, holder) {
        own.holders.bind(control, holder);
        tell({ kind: 'bind-control', control, holder });
      },
      close(control) {
        own.holders.close(control);
        tell({ kind: 'close-control', control });
      },
      async holderOf(control) {
        return (await own.holders.holderOf(control)) ?? (await ask({ kind: 'holder', control })).holder;
      },
    },
  };
}
