/**
 * What two processes of a node send each other. `ask` and `tell` call a method of a port by name; an `ask` is answered
 * once, by `answer` or, where the method has thrown, by `failed`.
 */
export type Message =
  | {
      readonly kind: 'ask';
      readonly id: number;
      readonly port: string;
      readonly method: string;
      readonly args: readonly unknown[];
    }
  | {
      readonly kind: 'tell';
      readonly port: string;
      readonly method: string;
      readonly args: readonly unknown[];
    }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly id: number };

const kinds: ReadonlySet<unknown> = new Set<Message['kind']>(['ask', 'tell', 'answer', 'failed']);

/** Tells our messages from whatever else comes over the channel. */
export const isMessage = (message: unknown): message is Message =>
  typeof message === 'object' && message !== null && 'kind' in message && kinds.has(message.kind);
