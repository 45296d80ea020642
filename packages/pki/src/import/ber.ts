import { type Bytes, concat } from '@sallyport/bytes';
import { DerError, encode } from '../der.ts';

/*
 * PKCS#7 and PKCS#12 are BER by their standards, and some programs write them with indefinite lengths and with
 * strings in pieces. Only the wrapping may be so: keys and certificates inside are held to DER by their own readers.
 */

const deepest = 32;
const mostElements = 50_000;
const constructed = 0x20;
const octetString = 0x04;

/** Rewrites BER as DER: definite, shortest lengths, octet strings in one piece. Throws DerError. */
export function berToDer(bytes: Bytes): Bytes {
  let at = 0;
  let elements = 0;
  const octet = (): number => {
    const found = bytes[at++];
    if (found === undefined) throw new DerError('element is cut');
    return found;
  };

  /** Octets of the length, or nothing for the indefinite form. */
  function length(): number | undefined {
    const first = octet();
    if (first < 0x80) return first;
    if (first === 0x80) return undefined;
    if (first > 0x84) throw new DerError('length is too long');
    let value = 0;
    for (let i = 0x80; i < first; i++) value = value * 256 + octet();
    return value;
  }

  /** One element, as its own DER; `inString` where pieces of an octet string are wanted without their headers. */
  function element(depth: number, inString: boolean): Bytes {
    if (depth > deepest) throw new DerError('nested too deeply');
    if (++elements > mostElements) throw new DerError('too many elements');
    const tag = octet();
    if ((tag & 0x1f) === 0x1f) throw new DerError('tag number above 30');
    const definite = length();
    const isString = (tag & ~constructed) === octetString;
    if (inString && !isString) throw new DerError('a piece of a string is no string');
    if ((tag & constructed) === 0) {
      if (definite === undefined) throw new DerError('length is indefinite');
      if (definite > bytes.length - at) throw new DerError('element is cut');
      const content = bytes.subarray(at, at + definite);
      at += definite;
      return inString ? content : encode(tag, content);
    }
    const end = definite === undefined ? undefined : at + definite;
    if (end !== undefined && end > bytes.length) throw new DerError('element is cut');
    const parts: Bytes[] = [];
    for (;;) {
      if (end === undefined ? bytes[at] === 0 && bytes[at + 1] === 0 : at === end) break;
      if (end !== undefined && at > end) throw new DerError('element is longer than its container');
      parts.push(element(depth + 1, isString));
    }
    if (end === undefined) at += 2;
    if (!isString) return encode(tag, ...parts);
    return inString ? concat(...parts) : encode(octetString, ...parts);
  }

  const whole = element(0, false);
  if (at !== bytes.length) throw new DerError('trailing bytes');
  return whole;
}
