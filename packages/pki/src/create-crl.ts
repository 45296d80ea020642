import { type Bytes, concat, copyOf } from '@sallyport/bytes';
import { FaultError, unwrap } from '@sallyport/faults';
import { parseCertificate } from './certificate.ts';
import { type RevokedEntry, revocationReasons } from './crl.ts';
import {
  bitStringOctets,
  contextConstructed,
  contextPrimitive,
  DerReader,
  encode,
  encodeInteger,
  encodeOid,
  encodePositiveInteger,
  encodeTime,
  tags,
} from './der.ts';
import type { Issuer } from './issue.ts';
import { oids } from './oids.ts';
import { signatureIdentifier, signedDer } from './sign.ts';
import { readSignatureAlgorithm, verifySignature } from './signature.ts';

const hexBytes = (hex: string): Bytes =>
  Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

const extension = (oid: string, value: Bytes): Bytes =>
  encode(tags.sequence, encodeOid(oid), encode(tags.octetString, value));

function encodeEntry({ serial, revokedAt, reason }: RevokedEntry): Bytes {
  // RFC 5280 section 5.3.1: `unspecified` is said by silence.
  const code = reason === undefined || reason === 'unspecified' ? -1 : revocationReasons.indexOf(reason);
  const value = encode(tags.enumerated, Uint8Array.of(code));
  const more = code < 0 ? [] : [encode(tags.sequence, extension(oids.reasonCode, value))];
  // The octets as the certificate has them: a leading zero is told by the high bit.
  return encode(tags.sequence, encodePositiveInteger(hexBytes(serial)), encodeTime(revokedAt), ...more);
}

/** Entries one after the other, in pieces that fit into the arguments of a call. */
function encodeEntries(entries: readonly RevokedEntry[]): Bytes {
  const pieces: Bytes[] = [];
  for (let at = 0; at < entries.length; at += 1_000) {
    pieces.push(concat(...entries.slice(at, at + 1_000).map(encodeEntry)));
  }
  return concat(...pieces);
}

/**
 * Signs the CRL of a CA of ours.
 *
 * @param list `number` counts up; `entries` of certificates that this CA issued
 * @returns DER; its PEM label is `X509 CRL`
 * @throws FaultError `certificate-purpose` for an issuer that may not sign lists, `key-mismatch`, `invalid-request`
 */
export async function createCrl(
  issuer: Issuer,
  list: {
    readonly number: bigint;
    readonly thisUpdate: Date;
    readonly nextUpdate: Date;
    readonly entries: readonly RevokedEntry[];
  },
): Promise<Bytes> {
  const ca = unwrap(parseCertificate(issuer.certificate));
  if (!ca.isCa || (ca.keyUsage && !ca.keyUsage.includes('cRLSign'))) {
    throw new FaultError({
      code: 'certificate-purpose',
      detail: `${ca.subject} may not sign revocation lists`,
    });
  }
  if (!(list.thisUpdate < list.nextUpdate) || list.number < 0n) {
    throw new FaultError({
      code: 'invalid-request',
      detail: 'the list ends before it begins, or has no number',
    });
  }
  const hex = list.number.toString(16);
  const number = encodePositiveInteger(hexBytes(hex.length % 2 === 0 ? hex : `0${hex}`));
  const keyId = ca.subjectKeyId;
  const extensions = [
    ...(keyId === undefined
      ? []
      : [
          extension(
            oids.authorityKeyIdentifier,
            encode(tags.sequence, encode(contextPrimitive(0), hexBytes(keyId))),
          ),
        ]),
    extension(oids.crlNumber, number),
  ];
  const tbs = encode(
    tags.sequence,
    encodeInteger(1),
    signatureIdentifier(ca.key.type),
    ca.subjectDer,
    encodeTime(list.thisUpdate),
    encodeTime(list.nextUpdate),
    ...(list.entries.length === 0 ? [] : [encode(tags.sequence, encodeEntries(list.entries))]),
    encode(contextConstructed(0), encode(tags.sequence, ...extensions)),
  );
  const der = await signedDer(tbs, issuer.privateKey, ca.key.type);
  const outer = new DerReader(der).inside(tags.sequence);
  outer.next(tags.sequence);
  const algorithm = readSignatureAlgorithm(outer.next(tags.sequence).content);
  const signature = copyOf(bitStringOctets(outer.next(tags.bitString)));
  if (await verifySignature(algorithm, ca.spki, tbs, signature)) return der;
  throw new FaultError({
    code: 'key-mismatch',
    detail: 'the private key of the issuer is not of its certificate',
  });
}
