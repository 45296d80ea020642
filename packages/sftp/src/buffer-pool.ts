import { wireLimits } from './protocol.ts';
import { dataHeaderLength } from './reply.ts';

/** Holds the largest packet and the largest reply. */
const bufferBytes = Math.max(4 + wireLimits.packetLength, dataHeaderLength + wireLimits.readLength);
/** Below this a fresh buffer is cheaper than the bookkeeping. */
const worthPooling = 16_384;

/**
 * Large buffers of one session, used again: at hundreds of megabytes per second, clearing and collecting fresh ones
 * costs more than what is done with them. What a buffer held before stays in it until it is overwritten.
 */
export class BufferPool {
  readonly #free: ArrayBuffer[] = [];
  /** Weak: a buffer that never comes back is collected like any other. */
  readonly #lent = new WeakSet<ArrayBufferLike>();
  readonly #keep: number;

  /** @param keep most buffers that wait for their next use */
  constructor(keep = 4) {
    this.#keep = keep;
  }

  /** A buffer of that many bytes, not cleared. */
  take(length: number): Uint8Array {
    if (length < worthPooling || length > bufferBytes) return new Uint8Array(length);
    const buffer = this.#free.pop() ?? new ArrayBuffer(bufferBytes);
    this.#lent.add(buffer);
    return new Uint8Array(buffer, 0, length);
  }

  /** Takes back a buffer, or any view of one, that nobody looks at any more; anything else is left alone. */
  give(view: Uint8Array): void {
    if (this.#lent.delete(view.buffer) && this.#free.length < this.#keep) {
      this.#free.push(view.buffer as ArrayBuffer);
    }
  }
}
