import { type Bytes, copyOf } from '@sallyport/bytes';
import { unwrap } from '@sallyport/faults';
import { type ParsedCertificate, parseCertificate } from '../certificate.ts';
import { contextConstructed, DerError, DerReader, positiveInteger, tags } from '../der.ts';
import { keyFacts } from '../key-facts.ts';
import { type PrivateKeyParts, provePrivateKey, readPkcs1, readPkcs8, readSec1 } from '../private-key.ts';
import { encodeSpki, parseSpki } from '../public-key.ts';
import { encodeSshBlob } from '../ssh-key.ts';
import { berToDer } from './ber.ts';
import { openPkcs8 } from './pbes.ts';
import { readPkcs7 } from './pkcs7.ts';
import { readPkcs12 } from './pkcs12.ts';
import { type Contents, neededPassword, passwordForms, type Reading, refusal } from './reading.ts';

/** What a DER value is by its first tags. */
export type DerKind =
  | 'certificate'
  | 'certificate-request'
  | 'crl'
  | 'pkcs7'
  | 'pkcs12'
  | 'pkcs8'
  | 'encrypted-pkcs8'
  | 'pkcs1-private'
  | 'pkcs1-public'
  | 'sec1'
  | 'dsa'
  | 'spki';

/** Most certificates in one import: a bundle of public roots has about 150. */
export const mostCertificates = 250;

/** Tags of the elements of a sequence, at most `most` of them. */
function tagsOf(reader: DerReader, most: number): number[] {
  const found: number[] = [];
  while (!reader.atEnd && found.length < most) found.push(reader.any().tag);
  return found;
}

function signedKind(tbs: Bytes): DerKind {
  const [first, second, third, fourth] = tagsOf(new DerReader(tbs), 4);
  if (first === contextConstructed(0)) return 'certificate';
  if (first === tags.sequence) return 'crl';
  if (fourth === contextConstructed(0) || fourth === undefined) return 'certificate-request';
  return second === tags.sequence && third === tags.sequence && fourth === tags.sequence
    ? 'certificate'
    : 'crl';
}

/** Recognises DER by its structure; nothing for what has none of them. Throws DerError for what is no DER. */
export function derKind(der: Bytes): DerKind | undefined {
  const { content } = new DerReader(der).next(tags.sequence);
  const outer = new DerReader(content);
  const fields = new DerReader(content);
  const shape = tagsOf(outer, 10);
  const is = (...expected: readonly number[]): boolean => expected.every((tag, i) => shape[i] === tag);
  const { sequence, integer, bitString, octetString, oid } = tags;
  if (is(oid, contextConstructed(0))) return 'pkcs7';
  if (is(sequence, bitString)) return 'spki';
  if (is(sequence, octetString)) return 'encrypted-pkcs8';
  if (is(sequence, sequence, bitString)) return signedKind(fields.next(sequence).content);
  if (is(integer, octetString)) return 'sec1';
  if (is(integer, sequence, octetString)) return 'pkcs8';
  if (is(integer, sequence)) {
    fields.next(integer);
    return fields.inside(sequence).optional(oid) ? 'pkcs12' : undefined;
  }
  if (!shape.every((tag) => tag === integer)) return undefined;
  if (shape.length === 2) return 'pkcs1-public';
  if (shape.length === 6) return 'dsa';
  return shape.length >= 9 ? 'pkcs1-private' : undefined;
}

/** Reads certificates and holds them to what an inventory can show and judge. */
export function readCertificates(ders: readonly Bytes[], { leastRsaBits }: Reading): ParsedCertificate[] {
  const found: ParsedCertificate[] = [];
  for (const [at, der] of ders.entries()) {
    const which = ders.length === 1 ? '' : `certificate ${at + 1}: `;
    const read = parseCertificate(der, leastRsaBits);
    if (!read.ok) throw refusal(read.fault.code, `${which}${read.fault.detail ?? read.fault.code}`);
    const { notBefore, notAfter, sha256, serialIsNegative } = read.value;
    if (serialIsNegative) throw refusal('certificate-malformed', `${which}its serial number is negative`);
    if (notAfter < notBefore) throw refusal('certificate-malformed', `${which}it ends before it begins`);
    if (!found.some((other) => other.sha256 === sha256)) found.push(read.value);
  }
  return found;
}

async function readPrivate(parts: PrivateKeyParts, { leastRsaBits }: Reading): Promise<Contents> {
  return { privateKeys: [{ ...(await provePrivateKey(parts, leastRsaBits)), name: '' }] };
}

/** PKCS#8 in its encryption (RFC 5958 section 3). */
async function readEncryptedPkcs8(der: Bytes, reading: Reading): Promise<Contents> {
  const password = passwordForms(neededPassword(reading));
  const whole = new DerReader(der);
  const info = whole.inside(tags.sequence);
  whole.finish();
  const algorithm = copyOf(info.next(tags.sequence).content);
  const ciphertext = copyOf(info.next(tags.octetString).content);
  info.finish();
  const parts = await openPkcs8(algorithm, ciphertext, password, reading);
  return readPrivate(parts, reading);
}

function readPublic(spki: Bytes, { leastRsaBits }: Reading): Contents {
  const facts = unwrap(keyFacts(spki, leastRsaBits));
  const blob = encodeSshBlob(unwrap(parseSpki(spki, leastRsaBits)));
  return { publicKeys: [{ blob, spki, facts, comment: '', options: {} }] };
}

/** RSAPublicKey (RFC 8017 appendix A.1.1), put into its SubjectPublicKeyInfo. */
function readPkcs1Public(der: Bytes, reading: Reading): Contents {
  const whole = new DerReader(der);
  const numbers = whole.inside(tags.sequence);
  whole.finish();
  const [modulus, exponent] = [numbers, numbers].map((from) =>
    copyOf(positiveInteger(from.next(tags.integer))),
  ) as [Bytes, Bytes];
  numbers.finish();
  return readPublic(encodeSpki({ type: 'rsa', modulus, exponent }), reading);
}

const names: Readonly<Record<DerKind, string>> = {
  certificate: 'X.509 certificate',
  'certificate-request': 'certificate request (PKCS#10)',
  crl: 'certificate revocation list',
  pkcs7: 'PKCS#7 certificates',
  pkcs12: 'PKCS#12',
  pkcs8: 'PKCS#8 private key',
  'encrypted-pkcs8': 'encrypted PKCS#8 private key',
  'pkcs1-private': 'PKCS#1 RSA private key',
  'pkcs1-public': 'PKCS#1 RSA public key',
  sec1: 'SEC1 elliptic curve private key',
  dsa: 'DSA private key',
  spki: 'public key (SubjectPublicKeyInfo)',
};

/**
 * Reads DER of a known kind.
 *
 * @throws DerError, SshWireError or FaultError
 */
export async function readDerOf(kind: DerKind, der: Bytes, reading: Reading): Promise<Contents> {
  reading.recognised = names[kind];
  switch (kind) {
    case 'certificate':
      return { certificates: readCertificates([der], reading) };
    case 'pkcs7':
      return { certificates: readCertificates(readPkcs7(der, mostCertificates), reading) };
    case 'pkcs12': {
      const { certificates, privateKeys } = await readPkcs12(der, reading);
      return { certificates: readCertificates(certificates, reading), privateKeys };
    }
    case 'pkcs8':
      return readPrivate(readPkcs8(der), reading);
    case 'encrypted-pkcs8':
      return readEncryptedPkcs8(der, reading);
    case 'pkcs1-private':
      return readPrivate(readPkcs1(der), reading);
    case 'sec1':
      return readPrivate(readSec1(der), reading);
    case 'spki':
      return readPublic(der, reading);
    case 'pkcs1-public':
      return readPkcs1Public(der, reading);
    case 'dsa':
      throw refusal('key-unsupported', 'DSA');
    case 'crl':
    case 'certificate-request':
      throw refusal('key-material-unrecognised', 'it is neither a key nor a certificate');
  }
}

/** Reads bytes that begin like DER; BER only where DER cannot be read, for PKCS#7 and PKCS#12. */
export async function readDer(bytes: Bytes, reading: Reading): Promise<Contents> {
  reading.recognised = 'DER';
  let der = bytes;
  let kind: DerKind | undefined;
  try {
    kind = derKind(bytes);
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    der = berToDer(bytes);
    kind = derKind(der);
    if (kind !== 'pkcs7' && kind !== 'pkcs12') throw error;
  }
  if (!kind) throw refusal('key-material-unrecognised', 'DER of another structure');
  try {
    return await readDerOf(kind, der, reading);
  } catch (error) {
    if (der !== bytes || (kind !== 'pkcs7' && kind !== 'pkcs12') || !(error instanceof DerError)) throw error;
    return readDerOf(kind, berToDer(bytes), reading);
  }
}
