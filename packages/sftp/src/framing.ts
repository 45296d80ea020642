import { ok, type Result, refuse } from '@sallyport/faults';
import { BufferPool } from './buffer-pool.ts';
import { wireLimits } from './protocol.ts';

/** One packet without its length field, and the bytes it took on the wire. */
export type Packet = {
  readonly body: Uint8Array;
  readonly wireLength: number;
  /** `own`: the body is nobody else's, and may be given to the pool. `borrowed`: it changes with the chunk it lies in. */
  readonly memory: 'own' | 'borrowed';
};

const lengthField = 4;
/** The smallest packet: SSH_FXP_INIT, or any request without a body, is a type and a number. */
const smallestBody = 5;
/** Pieces are stored together in buffers of this size: a peer that sends bytes one by one must not cost an object each. */
const storeBytes = 16_384;
/** From this size on the rest of a packet is put behind its beginning as it comes. */
const worthAssembling = 16_384;

/**
 * Cuts the byte stream into packets (draft-ietf-secsh-filexfer-02 section 3).
 *
 * A chunk is borrowed: between `push` and `keep` packets are views of it, and `keep` copies what is left, so that the
 * owner of the chunk can use its memory again. A large packet that comes in pieces is copied once, into one buffer.
 * The bound on what is held is the transport's flow control.
 */
export class PacketFramer {
  readonly #pool: BufferPool;
  /** The packet at the front, while it is large and incomplete. */
  #assembly: { readonly whole: Uint8Array; filled: number } | undefined;
  /** Bytes that were kept, behind the assembly. */
  readonly #stored: Uint8Array[] = [];
  /** Room behind the last stored bytes. */
  #storeRoom: Uint8Array = new Uint8Array(0);
  /** The rest of the present chunk, behind all others. */
  #chunk: Uint8Array = new Uint8Array(0);
  #available = 0;

  /** @param pool lends the buffers of packets that come in pieces; a packet's body may be given back to it */
  constructor(pool = new BufferPool()) {
    this.#pool = pool;
  }

  /** Borrows bytes from the peer until `keep`. */
  push(chunk: Uint8Array): void {
    this.keep();
    this.#available += chunk.length;
    this.#chunk = chunk;
    const assembly = this.#assembly;
    if (!assembly || this.#stored.length > 0) return;
    const part = chunk.subarray(0, assembly.whole.length - assembly.filled);
    assembly.whole.set(part, assembly.filled);
    assembly.filled += part.length;
    this.#chunk = chunk.subarray(part.length);
  }

  /** Copies what is left of the chunk. */
  keep(): void {
    const chunk = this.#chunk;
    if (chunk.length === 0) return;
    this.#chunk = new Uint8Array(0);
    if (this.#assembly || this.#stored.length > 0 || !this.#assemble(chunk)) this.#store(chunk);
  }

  /** Begins the assembly of the packet that the chunk begins with, where that is worth it. */
  #assemble(chunk: Uint8Array): boolean {
    if (chunk.length < lengthField) return false;
    const wireLength = lengthField + lengthAt(chunk);
    if (wireLength < worthAssembling || wireLength > lengthField + wireLimits.packetLength) return false;
    // A whole packet waits for room; the one behind it is not looked at before its turn.
    if (chunk.length >= wireLength) return false;
    const whole = this.#pool.take(wireLength);
    whole.set(chunk);
    this.#assembly = { whole, filled: chunk.length };
    return true;
  }

  #store(chunk: Uint8Array): void {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#storeRoom.length === 0) this.#storeRoom = new Uint8Array(Math.max(storeBytes, rest.length));
      const part = rest.subarray(0, this.#storeRoom.length);
      this.#storeRoom.set(part);
      this.#append(this.#storeRoom.subarray(0, part.length));
      this.#storeRoom = this.#storeRoom.subarray(part.length);
      rest = rest.subarray(part.length);
    }
  }

  /** Adds stored bytes; those that continue the last ones in their buffer become one with them. */
  #append(bytes: Uint8Array): void {
    const last = this.#stored.at(-1);
    if (last && last.buffer === bytes.buffer && last.byteOffset + last.length === bytes.byteOffset) {
      const joined = new Uint8Array(last.buffer, last.byteOffset, last.length + bytes.length);
      this.#stored[this.#stored.length - 1] = joined;
    } else {
      this.#stored.push(bytes);
    }
  }

  /**
   * The next whole packet.
   *
   * @returns the packet, nothing while it is incomplete, or `message-malformed` for a length out of bounds,
   *   after which the stream cannot be read on
   */
  next(): Result<Packet | undefined> {
    const assembly = this.#assembly;
    if (assembly) {
      if (assembly.filled < assembly.whole.length) this.#fillAssembly(assembly);
      if (assembly.filled < assembly.whole.length) return ok(undefined);
      this.#assembly = undefined;
      this.#available -= assembly.whole.length;
      const body = assembly.whole.subarray(lengthField);
      return ok({ body, wireLength: assembly.whole.length, memory: 'own' });
    }
    if (this.#available < lengthField) return ok(undefined);
    const length = this.#peekLength();
    if (length < smallestBody || length > wireLimits.packetLength) {
      return refuse('message-malformed', `a packet of ${length} bytes`);
    }
    const wireLength = lengthField + length;
    if (this.#available < wireLength) return ok(undefined);
    return ok(this.#take(wireLength));
  }

  #fillAssembly(assembly: { readonly whole: Uint8Array; filled: number }): void {
    while (assembly.filled < assembly.whole.length) {
      const part = this.#takePart(assembly.whole.length - assembly.filled);
      if (part.length === 0) return;
      assembly.whole.set(part, assembly.filled);
      assembly.filled += part.length;
    }
  }

  #peekLength(): number {
    if (this.#stored.length === 0) return lengthAt(this.#chunk);
    const field = new Uint8Array(lengthField);
    let seen = 0;
    for (const bytes of [...this.#stored, this.#chunk]) {
      const part = bytes.subarray(0, lengthField - seen);
      field.set(part, seen);
      seen += part.length;
      if (seen === lengthField) break;
    }
    return lengthAt(field);
  }

  /** Removes a packet from the front: a view where the chunk holds all of it, else a copy. */
  #take(wireLength: number): Packet {
    this.#available -= wireLength;
    if (this.#stored.length === 0) {
      const body = this.#takePart(wireLength).subarray(lengthField);
      return { body, wireLength, memory: 'borrowed' };
    }
    const whole = this.#pool.take(wireLength);
    let filled = 0;
    while (filled < wireLength) {
      const part = this.#takePart(wireLength - filled);
      whole.set(part, filled);
      filled += part.length;
    }
    return { body: whole.subarray(lengthField), wireLength, memory: 'own' };
  }

  /** Removes up to `length` bytes that lie together at the front; none where there are none. */
  #takePart(length: number): Uint8Array {
    const first = this.#stored[0];
    if (!first) {
      const part = this.#chunk.subarray(0, length);
      this.#chunk = this.#chunk.subarray(part.length);
      return part;
    }
    const part = first.subarray(0, length);
    if (part.length === first.length) this.#stored.shift();
    else this.#stored[0] = first.subarray(part.length);
    return part;
  }
}

const lengthAt = (bytes: Uint8Array): number =>
  (((bytes[0] as number) << 24) |
    ((bytes[1] as number) << 16) |
    ((bytes[2] as number) << 8) |
    (bytes[3] as number)) >>>
  0;
