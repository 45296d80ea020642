import { type Bytes, concat, copyOf, utf8 } from '@sallyport/bytes';

/** Bytes that are not the SSH encoding we expect. Caught at the entry of each parser in this package. */
export class SshWireError extends Error {
  override readonly name = 'SshWireError';
}

/** Reads the data types of RFC 4251 section 5; throws SshWireError on a cut or non-canonical value. */
export class SshReader {
  readonly #bytes: Bytes;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = copyOf(bytes);
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** Octets read until now. */
  get at(): number {
    return this.#at;
  }

  /** Octets of a known length: a view. */
  octets(length: number): Bytes {
    if (length > this.#bytes.length - this.#at) throw new SshWireError('cut');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** A `uint32`. */
  uint32(): number {
    const octets = this.octets(4);
    return new DataView(octets.buffer, octets.byteOffset, 4).getUint32(0);
  }

  /** A `uint64`. */
  uint64(): bigint {
    const octets = this.octets(8);
    return new DataView(octets.buffer, octets.byteOffset, 8).getBigUint64(0);
  }

  /** A `string`: a view of its bytes. */
  string(): Bytes {
    return this.octets(this.uint32());
  }

  /** A `string` of ASCII. */
  text(): string {
    const bytes = this.string();
    if (bytes.length > 256 || bytes.some((octet) => octet < 0x21 || octet > 0x7e)) {
      throw new SshWireError('not a name');
    }
    return String.fromCharCode(...bytes);
  }

  /** Magnitude of an `mpint` that must be positive and in its shortest form. */
  positiveMpint(): Bytes {
    const bytes = this.string();
    const [first, second] = bytes;
    if (first === undefined || first >= 0x80) throw new SshWireError('mpint is not positive');
    if (first !== 0) return bytes;
    if (second === undefined || second < 0x80) throw new SshWireError('mpint is not canonical');
    return bytes.subarray(1);
  }

  /** Nothing may follow. */
  finish(): void {
    if (this.#at !== this.#bytes.length) throw new SshWireError('trailing bytes');
  }
}

/** A `uint32`. */
export function sshUint32(value: number): Bytes {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** A `uint64`. */
export function sshUint64(value: bigint): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes;
}

/** A `string` of bytes or of UTF-8 text. */
export function sshString(value: Uint8Array | string): Bytes {
  const bytes = typeof value === 'string' ? utf8(value) : value;
  return concat(sshUint32(bytes.length), bytes);
}

/** An `mpint` of a non-negative big-endian magnitude; leading zeros are dropped. */
export function sshMpint(magnitude: Uint8Array): Bytes {
  let start = 0;
  while (start < magnitude.length && magnitude[start] === 0) start++;
  const digits = magnitude.subarray(start);
  return sshString((digits[0] ?? 0) >= 0x80 ? concat(Uint8Array.of(0), digits) : digits);
}
