import type { FaultCode } from '@sallyport/faults';

// A byte order mark is part of a name: ignoreBOM keeps it.
const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads the fields of one packet from front to back (RFC 4251 section 5).
 * A field that is cut short sets `malformed` and reads as empty, so a decoder checks once, at its end.
 * A field that is whole but unusable sets `refusal`: the request can be answered, the stream is intact.
 */
export class ByteReader {
  malformed = false;
  refusal: FaultCode | undefined;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  /** Reserves `length` bytes; the offset of the first, or undefined where they are not there. */
  #take(length: number): number | undefined {
    if (this.malformed || this.remaining < length) {
      this.malformed = true;
      return undefined;
    }
    const start = this.#offset;
    this.#offset += length;
    return start;
  }

  uint8(): number {
    const at = this.#take(1);
    return at === undefined ? 0 : this.#view.getUint8(at);
  }

  uint32(): number {
    const at = this.#take(4);
    return at === undefined ? 0 : this.#view.getUint32(at);
  }

  /** A 64-bit number; one above 2^53-1 is refused as `invalid-request`: no file is that large. */
  uint64(): number {
    const at = this.#take(8);
    if (at === undefined) return 0;
    const value = this.#view.getBigUint64(at);
    if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
    this.refusal ??= 'invalid-request';
    return 0;
  }

  /** The bytes of a string, as a view into the packet. */
  string(): Uint8Array {
    const length = this.uint32();
    const at = this.#take(length);
    return at === undefined ? new Uint8Array(0) : this.#bytes.subarray(at, at + length);
  }

  /** A string as text; bytes that are no UTF-8 are refused as `path-invalid`, never replaced. */
  text(): string {
    const bytes = this.string();
    try {
      return utf8Decoder.decode(bytes);
    } catch {
      this.refusal ??= 'path-invalid';
      return '';
    }
  }

  /** A handle as `HandleTable` makes them: four bytes. Any other is refused as `handle-invalid`. */
  handle(): number {
    const bytes = this.string();
    if (bytes.length === 4) return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
    if (!this.malformed) this.refusal ??= 'handle-invalid';
    return 0;
  }

  /** All that is left, as a view into the packet. */
  rest(): Uint8Array {
    const start = this.#offset;
    this.#offset = this.#bytes.length;
    return this.#bytes.subarray(start);
  }
}
