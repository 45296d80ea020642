import type { FaultCode } from '@sallyport/faults';
import type { ItemReport } from '@sallyport/model';
import type { ProcessSlot } from '../adapter.ts';
import type { NewEvent } from '../agent/event-spool.ts';
import type { TicketSecret } from '../tls/ticket-keys.ts';
import type { HowCalled } from './remote-port.ts';

/** What a worker begins with. */
export type WorkerStart = {
  /** Folder of the node: identity, root and snapshot are read there, and verified. */
  readonly home: string;
  readonly filesRoot: string;
  readonly slot: ProcessSlot;
  readonly ticketSecrets: readonly TicketSecret[];
};

/** What became of a snapshot in one worker. */
export type WorkerApplied =
  | {
      readonly kind: 'applied';
      /** Of the manifest that it found on the disk. */
      readonly manifestDigest: string;
      readonly items: readonly ItemReport[];
      /** Ports by server id. */
      readonly ports: ReadonlyMap<string, number>;
    }
  | { readonly kind: 'failed'; readonly fault: FaultCode };

/** What a worker says to the primary. */
export interface Foreman {
  begin(): Promise<WorkerStart>;
  /** It can be told to `apply`. */
  ready(): void;
  record(event: NewEvent): void;
}

export const foremanCalls: HowCalled<Foreman> = { begin: 'ask', ready: 'tell', record: 'tell' };

/** What the primary says to a worker. */
export interface Work {
  /** Reads the snapshot from the disk, verifies it and serves it. */
  apply(): Promise<WorkerApplied>;
  /** Reads its timestamp anew. */
  renew(): void;
  endSessions(ids: readonly string[]): void;
  adoptTicketSecrets(secrets: readonly TicketSecret[]): void;
  drain(graceMs: number): Promise<void>;
}

export const workCalls: HowCalled<Work> = {
  apply: 'ask',
  renew: 'tell',
  endSessions: 'tell',
  adoptTicketSecrets: 'tell',
  drain: 'ask',
};
