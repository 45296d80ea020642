import { type Bytes, fromUtf8, toHex, utf8 } from '@sallyport/bytes';
import { DerError, DerReader, type Element, hexForm, oidText, tags } from './der.ts';

/** Short names of attribute types (RFC 4514 section 3, RFC 4519); others stand in dotted form. */
const shortNames: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.4': 'SN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'STREET',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.12': 'title',
  '2.5.4.42': 'GN',
  '0.9.2342.19200300.100.1.1': 'UID',
  '0.9.2342.19200300.100.1.25': 'DC',
  '1.2.840.113549.1.9.1': 'emailAddress',
};

const latin1 = (bytes: Uint8Array): string =>
  Array.from(bytes, (octet) => String.fromCharCode(octet)).join('');

/** Big-endian code units of `width` octets. */
function wide(bytes: Uint8Array, width: 2 | 4): string {
  if (bytes.length % width !== 0) throw new DerError('string is cut');
  let text = '';
  for (let at = 0; at < bytes.length; at += width) {
    const code = bytes.subarray(at, at + width).reduce((value, octet) => value * 256 + octet, 0);
    if (code > 0x10ffff) throw new DerError('no such character');
    text += width === 2 ? String.fromCharCode(code) : String.fromCodePoint(code);
  }
  return text;
}

/** Text of a BMPString. Throws DerError. */
export const bmpText = (content: Uint8Array): string => wide(content, 2);

/** Text of an ASN.1 string; nothing for another type. */
function stringValue({ tag, content }: Element): string | undefined {
  switch (tag) {
    case tags.utf8String:
      try {
        return fromUtf8(content);
      } catch {
        throw new DerError('not UTF-8');
      }
    case tags.printableString:
    case tags.ia5String:
    case tags.numericString:
    case tags.teletexString:
      return latin1(content);
    case tags.bmpString:
      return wide(content, 2);
    case tags.universalString:
      return wide(content, 4);
    default:
      return undefined;
  }
}

/** Escapes a value (RFC 4514 section 2.4); control and format characters too, so that no log line is forged by it. */
const escapeValue = (value: string): string =>
  value
    .replace(/[\\"+,;<>=]/g, '\\$&')
    .replace(/^[ #]| $/g, '\\$&')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
      Array.from(utf8(character), (octet) => `\\${toHex(Uint8Array.of(octet))}`).join(''),
    );

/**
 * A distinguished name as text, most specific part first (RFC 4514).
 *
 * @param name DER Name
 * @throws DerError for anything else
 */
export function nameText(name: Bytes): string {
  const outer = new DerReader(name);
  const sequence = outer.inside(tags.sequence);
  outer.finish();
  const parts: string[] = [];
  while (!sequence.atEnd) {
    const set = sequence.inside(tags.set);
    const pairs: string[] = [];
    do {
      const pair = set.inside(tags.sequence);
      const type = oidText(pair.next(tags.oid));
      const element = pair.any();
      pair.finish();
      const value = stringValue(element);
      pairs.push(
        `${shortNames[type] ?? type}=${value === undefined ? hexForm(element.raw) : escapeValue(value)}`,
      );
    } while (!set.atEnd);
    parts.unshift(pairs.join('+'));
  }
  return parts.join(',');
}

/**
 * The RDNs of a name in a form that is equal where RFC 5280 section 7.1 calls them equal: texts without regard to
 * case and to repeated spaces, whatever their ASN.1 type.
 *
 * @param name DER Name
 * @throws DerError for anything else
 */
export function comparableName(name: Bytes): string[] {
  const outer = new DerReader(name);
  const sequence = outer.inside(tags.sequence);
  outer.finish();
  const rdns: string[] = [];
  while (!sequence.atEnd) {
    const set = sequence.inside(tags.set);
    const pairs: string[] = [];
    while (!set.atEnd) {
      const pair = set.inside(tags.sequence);
      const type = oidText(pair.next(tags.oid));
      const element = pair.any();
      pair.finish();
      const text = stringValue(element)?.normalize('NFKC').trim().replace(/\s+/g, ' ').toLowerCase();
      pairs.push(JSON.stringify([type, text ?? hexForm(element.raw)]));
    }
    rdns.push(pairs.sort().join());
  }
  return rdns;
}

/** Values of an attribute in a name, as text. */
export function nameValues(name: Bytes, wanted: string): string[] {
  const sequence = new DerReader(name).inside(tags.sequence);
  const values: string[] = [];
  while (!sequence.atEnd) {
    const set = sequence.inside(tags.set);
    while (!set.atEnd) {
      const pair = set.inside(tags.sequence);
      const type = oidText(pair.next(tags.oid));
      const text = stringValue(pair.any());
      if (type === wanted && text !== undefined) values.push(text);
    }
  }
  return values;
}
