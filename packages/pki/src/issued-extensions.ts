import { type Bytes, concat, sha256 } from '@sallyport/bytes';
import { contextPrimitive, encode, encodeInteger, encodeOid, tags } from './der.ts';
import { oids } from './oids.ts';

/** Bits of a key usage (RFC 5280 section 4.2.1.3), from the highest of the first octet. */
const usageBits = {
  digitalSignature: 0x80,
  keyEncipherment: 0x20,
  keyCertSign: 0x04,
  cRLSign: 0x02,
} as const;
export type IssuedUsage = keyof typeof usageBits;

type Criticality = 'critical' | 'not-critical';

const extension = (oid: string, criticality: Criticality, value: Bytes): Bytes =>
  encode(
    tags.sequence,
    encodeOid(oid),
    ...(criticality === 'critical' ? [encode(tags.boolean, Uint8Array.of(0xff))] : []),
    encode(tags.octetString, value),
  );

/** DER of basic constraints; critical. */
export const basicConstraints = (
  role: { readonly ca: true; readonly pathLength: number } | { readonly ca: false },
): Bytes =>
  extension(
    oids.basicConstraints,
    'critical',
    role.ca
      ? encode(tags.sequence, encode(tags.boolean, Uint8Array.of(0xff)), encodeInteger(role.pathLength))
      : encode(tags.sequence),
  );

/** DER of a key usage; critical. Bits behind the last that is set are not written (X.690 section 11.2.2). */
export function keyUsage(...uses: readonly IssuedUsage[]): Bytes {
  const octet = uses.reduce((bits, use) => bits | usageBits[use], 0);
  const unused = 31 - Math.clz32(octet & -octet);
  return extension(oids.keyUsage, 'critical', encode(tags.bitString, Uint8Array.of(unused, octet)));
}

/** DER of an extended key usage of one purpose. */
export const extendedKeyUsage = (purpose: string, criticality: Criticality): Bytes =>
  extension(oids.extendedKeyUsage, criticality, encode(tags.sequence, encodeOid(purpose)));

/** Key identifier: SHA-256 of the SPKI (RFC 7093 section 2, method 4), cut to the 160 bits that every peer is used to. */
export const subjectKeyIdentifier = (spki: Bytes): Bytes =>
  extension(
    oids.subjectKeyIdentifier,
    'not-critical',
    encode(tags.octetString, sha256(spki).subarray(0, 20)),
  );

/** DER of an authority key identifier. */
export const authorityKeyIdentifier = (keyId: Bytes): Bytes =>
  extension(
    oids.authorityKeyIdentifier,
    'not-critical',
    encode(tags.sequence, encode(contextPrimitive(0), concat(keyId))),
  );
