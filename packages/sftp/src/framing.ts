import { ok, type Result, refuse } from '@sallyport/faults';
import { BufferPool } from './buffer-pool.ts';
import { wireLimits } from './protocol.ts';

/** One packet without its length field, and the bytes it took on the wire. */
export type Packet = { readonly body: Uint8Array; readonly wireLength: number };

const lengthField = 4;
/** The smallest packet: SSH_FXP_INIT, or any request without a body, is a type and a number. */
const smallestBody = 5;
/** Chunks below this are copied together: a peer that sends bytes one by one must not cost an object each. */
const smallChunk = 4_096;
const mergeBuffer = 16_384;

/**
 * Cuts the byte stream into packets (draft-ietf-secsh-filexfer-02 section 3).
 * Holds what it was given until `next` has returned it; the bound on that is the transport's flow control.
 */
export class PacketFramer {
  readonly #chunks: Uint8Array[] = [];
  #available = 0;
  readonly #pool: BufferPool;
  /** The last chunk, while it is a merge buffer of ours with room left. */
  #tail: { buffer: Uint8Array; used: number } | undefined;

  /** @param pool lends the buffers of packets that come in pieces; a packet's body may be given back to it */
  constructor(pool = new BufferPool()) {
    this.#pool = pool;
  }

  /** Takes bytes from the peer; they must not change afterwards. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#available += chunk.length;
    if (chunk.length >= smallChunk) {
      this.#tail = undefined;
      this.#chunks.push(chunk);
    } else {
      this.#merge(chunk);
    }
  }

  #merge(chunk: Uint8Array): void {
    const tail = this.#tail;
    if (tail && this.#chunks.length > 0 && tail.buffer.length - tail.used >= chunk.length) {
      tail.buffer.set(chunk, tail.used);
      const last = this.#chunks[this.#chunks.length - 1] as Uint8Array;
      const start = last.byteOffset - tail.buffer.byteOffset;
      tail.used += chunk.length;
      this.#chunks[this.#chunks.length - 1] = tail.buffer.subarray(start, tail.used);
      return;
    }
    const buffer = new Uint8Array(mergeBuffer);
    buffer.set(chunk);
    this.#tail = { buffer, used: chunk.length };
    this.#chunks.push(buffer.subarray(0, chunk.length));
  }

  /**
   * The next whole packet.
   *
   * @returns the packet, nothing while it is incomplete, or `message-malformed` for a length out of bounds,
   *   after which the stream cannot be read on
   */
  next(): Result<Packet | undefined> {
    if (this.#available < lengthField) return ok(undefined);
    const length = this.#peekLength();
    if (length < smallestBody || length > wireLimits.packetLength) {
      return refuse('message-malformed', `a packet of ${length} bytes`);
    }
    const wireLength = lengthField + length;
    if (this.#available < wireLength) return ok(undefined);
    return ok({ body: this.#take(wireLength).subarray(lengthField), wireLength });
  }

  #peekLength(): number {
    let length = 0;
    let seen = 0;
    for (const chunk of this.#chunks) {
      for (let at = 0; at < chunk.length && seen < lengthField; at++, seen++) {
        length = length * 256 + (chunk[at] as number);
      }
      if (seen === lengthField) break;
    }
    return length;
  }

  /** Removes `length` bytes from the front: a view where one chunk holds them all, else a copy. */
  #take(length: number): Uint8Array {
    this.#available -= length;
    const first = this.#chunks[0] as Uint8Array;
    if (first.length >= length) {
      this.#dropFront(length);
      return first.subarray(0, length);
    }
    const whole = this.#pool.take(length);
    let filled = 0;
    while (filled < length) {
      const part = (this.#chunks[0] as Uint8Array).subarray(0, length - filled);
      whole.set(part, filled);
      filled += part.length;
      this.#dropFront(part.length);
    }
    return whole;
  }

  #dropFront(length: number): void {
    const first = this.#chunks[0] as Uint8Array;
    if (first.length === length) {
      this.#chunks.shift();
      if (this.#chunks.length === 0) this.#tail = undefined;
    } else {
      this.#chunks[0] = first.subarray(length);
    }
  }
}
