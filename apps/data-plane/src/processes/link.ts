import { isMessage, type Message } from './messages.ts';

/** An object whose own methods the other process may call; what they take and give is cloned (structured clone). */
// biome-ignore lint/suspicious/noExplicitAny: a port is any set of methods, its users see its own type
export type Port<P> = { readonly [K in keyof P]: (...args: any[]) => unknown };

export type LinkOptions = {
  /** Hands a message to the channel; `sent` is called when it has left, or never will. */
  readonly send: (message: Message, sent: () => void) => void;
  /** What the other side may call, by name. */
  readonly ports: { readonly [name: string]: object };
  /** Questions that may wait for an answer at once. */
  readonly maxPending?: number;
  /** A method that was told something has thrown. */
  readonly onFailure?: (port: string, method: string) => void;
};

/** This end of the channel between two processes of a node. */
export interface Link {
  /** Calls a method over there. Rejects where it throws, the link is lost, or too many questions wait already. */
  ask(port: string, method: string, args: readonly unknown[]): Promise<unknown>;
  /** Calls a method over there that gives nothing back. */
  tell(port: string, method: string, args: readonly unknown[]): void;
  /** Messages that have not left yet: whoever can do without one looks first. */
  readonly backlog: number;
  /** Takes in what has come over the channel. */
  take(message: unknown): void;
  /** The other side is gone: no question is answered any more. */
  lost(): void;
}

type Pending = { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void };

/** As many connections as a node may have, each of which asks one question at a time. */
const mostPending = 20_000;

/**
 * Questions and answers between two processes of one node. Both run the same code as the same user: the types of what
 * comes are trusted, its methods are looked up among those that a port has itself.
 */
export function createLink({ send, ports, maxPending = mostPending, onFailure }: LinkOptions): Link {
  const pending = new Map<number, Pending>();
  let nextId = 1;
  let backlog = 0;
  let state: 'open' | 'lost' = 'open';

  function post(message: Message): void {
    if (state === 'lost') return;
    backlog++;
    send(message, () => {
      backlog--;
    });
  }

  async function call(name: string, method: string, args: readonly unknown[]): Promise<unknown> {
    const port = Object.hasOwn(ports, name) ? ports[name] : undefined;
    const found: unknown = port && Object.hasOwn(port, method) ? Reflect.get(port, method) : undefined;
    if (typeof found !== 'function') throw new Error(`there is no ${name}.${method}`);
    return await Reflect.apply(found, port, [...args]);
  }

  return {
    ask(port, method, args) {
      if (state === 'lost') return Promise.reject(new Error('the other process is gone'));
      if (pending.size >= maxPending) return Promise.reject(new Error('too many questions wait'));
      const id = nextId++;
      return new Promise((resolve, reject) => {
        pending.set(id, { resolve, reject });
        post({ kind: 'ask', id, port, method, args });
      });
    },

    tell: (port, method, args) => post({ kind: 'tell', port, method, args }),

    get backlog() {
      return backlog;
    },

    take(message) {
      if (!isMessage(message)) return;
      switch (message.kind) {
        case 'ask': {
          const { id } = message;
          call(message.port, message.method, message.args).then(
            (value) => post({ kind: 'answer', id, value }),
            () => post({ kind: 'failed', id }),
          );
          return;
        }
        case 'tell': {
          const { port, method } = message;
          call(port, method, message.args).catch(() => onFailure?.(port, method));
          return;
        }
        case 'answer':
        case 'failed': {
          const asked = pending.get(message.id);
          pending.delete(message.id);
          if (message.kind === 'answer') asked?.resolve(message.value);
          else asked?.reject(new Error('the other process could not do it'));
        }
      }
    },

    lost() {
      state = 'lost';
      for (const { reject } of pending.values()) reject(new Error('the other process is gone'));
      pending.clear();
    },
  };
}
