import { type Access, mustWait } from './access.ts';
import type { OpenHandle } from './handles.ts';
import type { ReplyPacket } from './reply.ts';
import type { Request } from './request.ts';

/** A request taken in and not answered yet. */
export type QueuedRequest = {
  readonly request: Request;
  /** The memory that its data lie in, to be given back. */
  readonly body: Uint8Array | undefined;
  readonly access: Access;
  /** Bytes that it took on the wire. */
  readonly wireLength: number;
  /** Most bytes that its reply may take. */
  readonly cost: number;
  state: 'waiting' | 'running' | 'done';
  reply?: ReplyPacket;
};

/** The requests of a session in the order of arrival: which may run, and which may be answered. */
export class RequestQueue {
  #entries: QueuedRequest[] = [];

  get length(): number {
    return this.#entries.length;
  }

  add(entry: QueuedRequest): void {
    this.#entries.push(entry);
  }

  clear(): void {
    this.#entries = [];
  }

  /**
   * The first request that waits and may run beside those before it.
   *
   * @param fits is there room for a reply of that many bytes? The first that does not fit ends the search:
   *   a large reply is not starved by small ones behind it
   */
  nextRunnable(fits: (cost: number) => boolean): QueuedRequest | undefined {
    for (const [at, entry] of this.#entries.entries()) {
      if (entry.state !== 'waiting') continue;
      if (!fits(entry.cost)) return undefined;
      if (!this.#blocked(entry, at)) return entry;
    }
    return undefined;
  }

  #blocked(entry: QueuedRequest, at: number): boolean {
    for (let earlier = 0; earlier < at; earlier++) {
      const other = this.#entries[earlier] as QueuedRequest;
      if (other.state !== 'done' && mustWait(other.access, entry.access)) return true;
    }
    return false;
  }

  /** Takes out the requests that are done and not behind an unanswered one about the same handle. */
  takeAnswerable(): QueuedRequest[] {
    const taken: QueuedRequest[] = [];
    const held = new Set<OpenHandle>();
    this.#entries = this.#entries.filter((entry) => {
      const { handle } = entry.access;
      if (entry.state === 'done' && !(handle && held.has(handle))) {
        taken.push(entry);
        return false;
      }
      if (handle) held.add(handle);
      return true;
    });
    return taken;
  }
}
