import { type Bytes, concat, copyOf, toHex, utf8 } from '@sallyport/bytes';

/*
 * Certificates are judged byte for byte as they were signed, so they are read as DER and nothing else
 * (X.690 section 10): one encoding per value, definite lengths, exact slices. The ASN.1 libraries of the
 * field read BER, which lets one certificate mean two things to two readers.
 */

/** Identifier octets of the types that X.509 and PKCS#8 use (X.690 section 8.1.2). */
export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  numericString: 0x12,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Identifier octet of a context-specific primitive tag. */
export const contextPrimitive = (number: number): number => 0x80 | number;
/** Identifier octet of a context-specific constructed tag. */
export const contextConstructed = (number: number): number => 0xa0 | number;

/** Bytes that are not the DER we expect. It unwinds a parser and is caught at its entry; it never leaves this package. */
export class DerError extends Error {
  override readonly name = 'DerError';
}

/** One element: `content` and `raw` (header included) are views of the bytes that were read. */
export type Element = { readonly tag: number; readonly content: Bytes; readonly raw: Bytes };

/** Walks the elements of one level, in order. Every method throws DerError on anything but DER. */
export class DerReader {
  readonly #bytes: Bytes;
  #at = 0;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** The next element, of the tag named. */
  next(tag: number): Element {
    const element = this.any();
    if (element.tag !== tag) throw new DerError(`expected tag ${tag}, found ${element.tag}`);
    return element;
  }

  /** The next element if it has that tag. */
  optional(tag: number): Element | undefined {
    return !this.atEnd && this.#bytes[this.#at] === tag ? this.any() : undefined;
  }

  /** A reader over the content of the next element, of the tag named. */
  inside(tag: number): DerReader {
    return new DerReader(this.next(tag).content);
  }

  /** The next element, whatever it is. */
  any(): Element {
    const start = this.#at;
    const tag = this.#octet();
    if ((tag & 0x1f) === 0x1f) throw new DerError('tag number above 30');
    const length = this.#length();
    const contentStart = this.#at;
    if (length > this.#bytes.length - contentStart) throw new DerError('element is cut');
    this.#at = contentStart + length;
    return {
      tag,
      content: this.#bytes.subarray(contentStart, this.#at),
      raw: this.#bytes.subarray(start, this.#at),
    };
  }

  /** Nothing may follow. */
  finish(): void {
    if (!this.atEnd) throw new DerError('trailing bytes');
  }

  #octet(): number {
    const octet = this.#bytes[this.#at];
    if (octet === undefined) throw new DerError('element is cut');
    this.#at++;
    return octet;
  }

  #length(): number {
    const first = this.#octet();
    if (first < 0x80) return first;
    const octets = first & 0x7f;
    if (octets === 0 || octets > 4) throw new DerError('length is indefinite or too long');
    let length = 0;
    for (let i = 0; i < octets; i++) length = length * 256 + this.#octet();
    if (length < 0x80 || length < 256 ** (octets - 1)) throw new DerError('length is not minimal');
    return length;
  }
}

/** The only element of `bytes`. */
export function readElement(bytes: Bytes, tag: number): Element {
  const reader = new DerReader(bytes);
  const element = reader.next(tag);
  reader.finish();
  return element;
}

/** Content octets of an INTEGER, minimal two's complement (X.690 section 8.3). */
export function integerContent(element: Element): Bytes {
  const { content } = element;
  const [first, second] = content;
  if (first === undefined) throw new DerError('empty integer');
  if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) {
    throw new DerError('integer is not minimal');
  }
  return content;
}

/** Magnitude of an INTEGER that must be positive, without its sign octet. */
export function positiveInteger(element: Element): Bytes {
  const content = integerContent(element);
  const first = content[0] as number;
  if (first >= 0x80 || (first === 0 && content.length === 1)) throw new DerError('integer is not positive');
  return first === 0 ? content.subarray(1) : content;
}

/** A small non-negative INTEGER. */
export function smallInteger(element: Element): number {
  const content = integerContent(element);
  if (content.length > 4 || (content[0] as number) >= 0x80) throw new DerError('integer out of range');
  return content.reduce((value, octet) => value * 256 + octet, 0);
}

/** A BOOLEAN, 00 or FF. */
export function booleanValue(element: Element): boolean {
  const [octet, more] = element.content;
  if (more !== undefined || (octet !== 0 && octet !== 0xff)) throw new DerError('not a boolean');
  return octet === 0xff;
}

/** A BIT STRING: its octets, and how many low bits of the last one are padding (zero). */
export function bitString(element: Element): { readonly octets: Bytes; readonly unusedBits: number } {
  const [unusedBits] = element.content;
  const octets = element.content.subarray(1);
  if (unusedBits === undefined || unusedBits > 7) throw new DerError('not a bit string');
  const last = octets.at(-1);
  if (last === undefined ? unusedBits !== 0 : (last & ((1 << unusedBits) - 1)) !== 0) {
    throw new DerError('padding of a bit string is not zero');
  }
  return { octets, unusedBits };
}

/** A BIT STRING of whole octets. */
export function bitStringOctets(element: Element): Bytes {
  const { octets, unusedBits } = bitString(element);
  if (unusedBits !== 0) throw new DerError('bit string is not whole octets');
  return octets;
}

/** Dotted text of an OBJECT IDENTIFIER. */
export function oidText(element: Element): string {
  const { content } = element;
  if (content.length === 0 || content.length > 64) throw new DerError('object identifier out of bounds');
  const arcs: bigint[] = [];
  let arc = 0n;
  let started = false;
  for (const octet of content) {
    if (!started && octet === 0x80) throw new DerError('object identifier is not minimal');
    started = octet >= 0x80;
    arc = (arc << 7n) | BigInt(octet & 0x7f);
    if (!started) {
      arcs.push(arc);
      arc = 0n;
    }
  }
  if (started) throw new DerError('object identifier is cut');
  const first = arcs.shift() as bigint;
  const root = first < 40n ? 0n : first < 80n ? 1n : 2n;
  return [root, first - root * 40n, ...arcs].join('.');
}

/** A UTCTime or GeneralizedTime in the one form of RFC 5280 section 4.1.2.5: seconds, `Z`, no fraction. */
export function timeValue(element: Element): Date {
  const text = String.fromCharCode(...element.content.subarray(0, 16));
  const long = element.tag === tags.generalizedTime;
  if (!long && element.tag !== tags.utcTime) throw new DerError('not a time');
  if (!(long ? /^\d{14}Z$/ : /^\d{12}Z$/).test(text)) throw new DerError('not a time of RFC 5280');
  const digits = long ? text : `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}`;
  const at = (from: number, to: number): string => digits.slice(from, to);
  const iso = `${at(0, 4)}-${at(4, 6)}-${at(6, 8)}T${at(8, 10)}:${at(10, 12)}:${at(12, 14)}.000Z`;
  const date = new Date(iso);
  if (Number.isNaN(date.getTime()) || date.toISOString() !== iso) throw new DerError('no such date');
  return date;
}

/** An element of a tag around its parts. */
export function encode(tag: number, ...parts: readonly Uint8Array[]): Bytes {
  const content = concat(...parts);
  if (content.length < 0x80) return concat(Uint8Array.of(tag, content.length), content);
  const length: number[] = [];
  for (let rest = content.length; rest > 0; rest = Math.floor(rest / 256)) length.unshift(rest % 256);
  return concat(Uint8Array.of(tag, 0x80 | length.length, ...length), content);
}

/** An INTEGER of a positive magnitude without leading zeros. */
export const encodePositiveInteger = (magnitude: Uint8Array): Bytes =>
  encode(tags.integer, (magnitude[0] ?? 0) >= 0x80 ? Uint8Array.of(0) : new Uint8Array(0), magnitude);

/** An INTEGER of a number that is not negative and safe. */
export function encodeInteger(value: number): Bytes {
  const magnitude: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) magnitude.unshift(rest % 256);
  return encodePositiveInteger(magnitude.length === 0 ? Uint8Array.of(0) : Uint8Array.from(magnitude));
}

/** A time in the form that RFC 5280 section 4.1.2.5 wants for its year: UTCTime until 2049. Whole seconds. */
export function encodeTime(date: Date): Bytes {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, '');
  const year = date.getUTCFullYear();
  return year >= 1950 && year < 2050
    ? encode(tags.utcTime, utf8(digits.slice(2)))
    : encode(tags.generalizedTime, utf8(digits));
}

/** A BIT STRING of whole octets. */
export const encodeBitString = (octets: Uint8Array): Bytes =>
  encode(tags.bitString, Uint8Array.of(0), octets);

/** An OBJECT IDENTIFIER from its dotted text; arcs below 2^31. */
export function encodeOid(dotted: string): Bytes {
  const [root = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const octets = [root * 40 + second, ...rest].flatMap((arc) => {
    const digits = [arc & 0x7f];
    for (let more = arc >>> 7; more > 0; more >>>= 7) digits.unshift((more & 0x7f) | 0x80);
    return digits;
  });
  return encode(tags.oid, Uint8Array.from(octets));
}

/** Are two encodings the same bytes? For public values: its time tells where they differ. */
export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((octet, i) => octet === b[i]);

/** Runs a parser on bytes of its own; nothing where they are not the DER it expects. */
export function tryDer<T>(bytes: Uint8Array, parse: (own: Bytes) => T): T | DerError {
  try {
    return parse(copyOf(bytes));
  } catch (error) {
    if (error instanceof DerError) return error;
    throw error;
  }
}

/** `#` and hexadecimal: a value that has no text (RFC 4514 section 2.4). */
export const hexForm = (raw: Uint8Array): string => `#${toHex(raw)}`;
