import { type Bytes, copyOf, sha256Hex, toHex } from '@sallyport/bytes';
import { FaultError, ok, type Result, refuse, unwrap } from '@sallyport/faults';
import type { PublicKeyFacts } from '@sallyport/model';
import {
  bitStringOctets,
  contextConstructed,
  contextPrimitive,
  DerError,
  DerReader,
  integerContent,
  readElement,
  sameBytes,
  smallInteger,
  tags,
  timeValue,
} from './der.ts';
import { type CertificateExtensions, readExtensions } from './extensions.ts';
import { keyFacts } from './key-facts.ts';
import { nameText } from './name.ts';
import { leastRsaBits } from './public-key.ts';
import { readSignatureAlgorithm, type SignatureAlgorithm } from './signature.ts';

/** An X.509 certificate, read and not judged: nothing in it is verified. */
export type ParsedCertificate = CertificateExtensions & {
  readonly der: Bytes;
  /** SHA-256 of the DER, hexadecimal. */
  readonly sha256: string;
  /** RFC 4514 text, for people; matching goes by the DER. */
  readonly subject: string;
  readonly issuer: string;
  /** Exact DER of the Name. */
  readonly subjectDer: Bytes;
  readonly issuerDer: Bytes;
  /** Hexadecimal, as `openssl x509 -serial` shows it, in lower case. */
  readonly serial: string;
  /** It was never allowed (RFC 5280 section 4.1.2.2), though some old CAs wrote it. */
  readonly serialIsNegative: boolean;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Bytes;
  readonly key: PublicKeyFacts;
  /** Subject and issuer are the same name. */
  readonly selfIssued: boolean;
  /** What the signature covers, the signature, and how it was made. */
  readonly tbs: Bytes;
  readonly signature: Bytes;
  readonly signatureAlgorithm: SignatureAlgorithm;
};

const mostBytes = 65_536;

function readCertificate(der: Bytes, least: number): ParsedCertificate {
  const whole = new DerReader(der);
  const certificate = whole.inside(tags.sequence);
  whole.finish();
  const tbs = certificate.next(tags.sequence);
  const outerAlgorithm = certificate.next(tags.sequence);
  const signature = copyOf(bitStringOctets(certificate.next(tags.bitString)));
  certificate.finish();

  const fields = new DerReader(tbs.content);
  const explicitVersion = fields.optional(contextConstructed(0));
  const version = explicitVersion ? smallInteger(readElement(explicitVersion.content, tags.integer)) : 0;
  if (version > 2) throw new DerError('unknown version');
  const serial = integerContent(fields.next(tags.integer));
  if (serial.length > 21) throw new DerError('serial number is too long');
  const innerAlgorithm = fields.next(tags.sequence);
  // RFC 5280 section 4.1.1.2: only the inner one is signed.
  if (!sameBytes(innerAlgorithm.raw, outerAlgorithm.raw)) throw new DerError('signature algorithms differ');
  const issuerDer = copyOf(fields.next(tags.sequence).raw);
  const validity = fields.inside(tags.sequence);
  const notBefore = timeValue(validity.any());
  const notAfter = timeValue(validity.any());
  validity.finish();
  const subjectDer = copyOf(fields.next(tags.sequence).raw);
  const spki = copyOf(fields.next(tags.sequence).raw);
  fields.optional(contextPrimitive(1));
  fields.optional(contextPrimitive(2));
  const extensions = fields.optional(contextConstructed(3));
  fields.finish();
  if (extensions && version !== 2) throw new DerError('extensions need version 3');

  return {
    der,
    sha256: sha256Hex(der),
    subject: nameText(subjectDer),
    issuer: nameText(issuerDer),
    subjectDer,
    issuerDer,
    serial: toHex(serial.length > 1 && serial[0] === 0 ? serial.subarray(1) : serial),
    serialIsNegative: (serial[0] as number) >= 0x80,
    notBefore,
    notAfter,
    spki,
    key: unwrap(keyFacts(spki, least)),
    selfIssued: sameBytes(subjectDer, issuerDer),
    tbs: copyOf(tbs.raw),
    signature,
    signatureAlgorithm: readSignatureAlgorithm(outerAlgorithm.content),
    ...readExtensions(extensions && readElement(extensions.content, tags.sequence).content),
  };
}

/**
 * Reads an X.509 certificate, as strict DER (RFC 5280 section 4.1). It verifies nothing.
 *
 * @param der at most 64 KiB
 * @param least bits of an RSA key
 * @returns the certificate; `certificate-malformed`, or `key-unsupported`/`key-malformed` for its key
 */
export function parseCertificate(der: Uint8Array, least = leastRsaBits): Result<ParsedCertificate> {
  if (der.length > mostBytes) return refuse('certificate-malformed', `more than ${mostBytes} bytes`);
  try {
    return ok(readCertificate(copyOf(der), least));
  } catch (error) {
    if (error instanceof DerError) return refuse('certificate-malformed', error.message);
    if (error instanceof FaultError) return { ok: false, fault: error.fault };
    throw error;
  }
}
