import { type Bytes, concat, copyOf, toHex } from '@sallyport/bytes';
import { FaultError, ok, type Result, refuse, unwrap } from '@sallyport/faults';
import { type ParsedCertificate, parseCertificate } from './certificate.ts';
import {
  bitStringOctets,
  booleanValue,
  contextConstructed,
  contextPrimitive,
  DerError,
  DerReader,
  encode,
  encodeInteger,
  encodeOid,
  encodePositiveInteger,
  encodeTime,
  integerContent,
  oidText,
  readElement,
  sameBytes,
  smallInteger,
  tags,
  timeValue,
} from './der.ts';
import type { Issuer } from './issue.ts';
import { nameText } from './name.ts';
import { oids } from './oids.ts';
import { signatureIdentifier, signedDer } from './sign.ts';
import { readSignatureAlgorithm, verifySignature } from './signature.ts';

/** Reasons by their codes (RFC 5280 section 5.3.1); 7 is not used, 8 belongs to delta CRLs. */
const reasons = [
  'unspecified',
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  undefined,
  'removeFromCRL',
  'privilegeWithdrawn',
  'aACompromise',
] as const;
/** Why a certificate was revoked. */
export type RevocationReason = Exclude<(typeof reasons)[number], undefined>;

/** One revoked certificate. */
export type RevokedEntry = {
  /** Hexadecimal in lower case, as `ParsedCertificate` has it. */
  readonly serial: string;
  readonly revokedAt: Date;
  readonly reason?: RevocationReason | undefined;
};

/** A verified certificate revocation list of one CA, whole. */
export type Crl = {
  readonly der: Bytes;
  /** RFC 4514 text. */
  readonly issuer: string;
  readonly issuerDer: Bytes;
  /** CRL number; lists of one CA count up. */
  readonly number: bigint;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  /** By serial number. */
  readonly revoked: ReadonlyMap<string, RevokedEntry>;
};

const mostBytes = 16 * 1_048_576;
const mostEntries = 500_000;

class UnsupportedCrl extends Error {
  override readonly name = 'UnsupportedCrl';
}

/** Serial number in the form of `ParsedCertificate`. */
function serialText(content: Bytes): string {
  return toHex(content.length > 1 && content[0] === 0 ? content.subarray(1) : content);
}

type EntryExtensions = { readonly reason?: RevocationReason };

function readEntryExtensions(list: Bytes): EntryExtensions {
  const extensions = new DerReader(list);
  let reason: RevocationReason | undefined;
  while (!extensions.atEnd) {
    const fields = extensions.inside(tags.sequence);
    const oid = oidText(fields.next(tags.oid));
    const critical = fields.optional(tags.boolean);
    const value = fields.next(tags.octetString).content;
    fields.finish();
    if (oid === oids.certificateIssuer) throw new UnsupportedCrl('it is indirect');
    if (oid === oids.reasonCode) {
      const [code, more] = readElement(value, tags.enumerated).content;
      reason = more === undefined && code !== undefined ? reasons[code] : undefined;
      if (reason === undefined) throw new DerError('no such reason');
      if (reason === 'removeFromCRL') throw new UnsupportedCrl('it is a delta');
    } else if (oid !== oids.invalidityDate && critical && booleanValue(critical)) {
      throw new UnsupportedCrl(`an entry has the critical extension ${oid}`);
    }
  }
  return reason === undefined ? {} : { reason };
}

function readEntries(list: Bytes): Map<string, RevokedEntry> {
  const entries = new DerReader(list);
  const revoked = new Map<string, RevokedEntry>();
  while (!entries.atEnd) {
    if (revoked.size === mostEntries) throw new UnsupportedCrl(`more than ${mostEntries} entries`);
    const fields = entries.inside(tags.sequence);
    const serialContent = integerContent(fields.next(tags.integer));
    if (serialContent.length > 21) throw new DerError('serial number is too long');
    const serial = serialText(serialContent);
    const revokedAt = timeValue(fields.any());
    const extensions = fields.optional(tags.sequence);
    fields.finish();
    // A repeated serial number is revoked all the same; the first time counts.
    if (!revoked.has(serial)) {
      revoked.set(serial, {
        serial,
        revokedAt,
        ...(extensions ? readEntryExtensions(extensions.content) : {}),
      });
    }
  }
  return revoked;
}

/** Number of the list; throws UnsupportedCrl for a list that does not speak of all that its CA issued. */
function readListExtensions(list: Bytes): bigint {
  const extensions = new DerReader(list);
  let number: bigint | undefined;
  while (!extensions.atEnd) {
    const fields = extensions.inside(tags.sequence);
    const oid = oidText(fields.next(tags.oid));
    const critical = fields.optional(tags.boolean);
    const value = fields.next(tags.octetString).content;
    fields.finish();
    if (oid === oids.crlNumber) {
      const content = integerContent(readElement(value, tags.integer));
      if (content.length > 21 || (content[0] as number) >= 0x80)
        throw new DerError('CRL number out of range');
      number = BigInt(`0x${toHex(content)}`);
    } else if (oid === oids.deltaCrlIndicator) throw new UnsupportedCrl('it is a delta');
    else if (oid === oids.issuingDistributionPoint) throw new UnsupportedCrl('it is partitioned or indirect');
    else if (oid !== oids.authorityKeyIdentifier && critical && booleanValue(critical)) {
      throw new UnsupportedCrl(`critical extension ${oid}`);
    }
  }
  if (number === undefined) throw new UnsupportedCrl('it has no CRL number');
  return number;
}

function readCrl(der: Bytes) {
  const whole = new DerReader(der);
  const list = whole.inside(tags.sequence);
  whole.finish();
  const tbs = list.next(tags.sequence);
  const outerAlgorithm = list.next(tags.sequence);
  const signature = copyOf(bitStringOctets(list.next(tags.bitString)));
  list.finish();
  const fields = new DerReader(tbs.content);
  const version = fields.optional(tags.integer);
  if (!version || smallInteger(version) !== 1) throw new UnsupportedCrl('it is of version 1');
  if (!sameBytes(fields.next(tags.sequence).raw, outerAlgorithm.raw)) {
    throw new DerError('signature algorithms differ');
  }
  const issuerDer = copyOf(fields.next(tags.sequence).raw);
  const thisUpdate = timeValue(fields.any());
  if (fields.atEnd) throw new UnsupportedCrl('it does not say when the next one comes');
  const next = fields.any();
  if (next.tag !== tags.utcTime && next.tag !== tags.generalizedTime) {
    throw new UnsupportedCrl('it does not say when the next one comes');
  }
  const nextUpdate = timeValue(next);
  const entries = fields.optional(tags.sequence);
  const extensions = fields.optional(contextConstructed(0));
  fields.finish();
  if (!extensions) throw new UnsupportedCrl('it has no CRL number');
  if (nextUpdate < thisUpdate) throw new DerError('it ends before it begins');
  return {
    tbs: copyOf(tbs.raw),
    signature,
    algorithm: readSignatureAlgorithm(outerAlgorithm.content),
    crl: {
      der,
      issuer: nameText(issuerDer),
      issuerDer,
      number: readListExtensions(readElement(extensions.content, tags.sequence).content),
      thisUpdate,
      nextUpdate,
      revoked: readEntries(entries?.content ?? new Uint8Array(0)),
    } satisfies Crl,
  };
}

/**
 * Reads a CRL and verifies that this CA signed it (RFC 5280 section 5). Whether it is fresh, and newer than the one
 * before, is the caller's to judge by `number` and `nextUpdate`.
 *
 * @param der at most 16 MiB and 500,000 entries
 * @param ca the certificate whose list it must be
 * @returns the list; `crl-malformed` (another issuer and a wrong signature included), `crl-unsupported` for a delta, a
 *   partitioned, an indirect list, one without a number or without its end, and critical extensions that nobody here
 *   evaluates
 */
export async function parseCrl(der: Uint8Array, ca: ParsedCertificate): Promise<Result<Crl>> {
  if (der.length > mostBytes) return refuse('crl-malformed', `more than ${mostBytes} bytes`);
  let read: ReturnType<typeof readCrl>;
  try {
    read = readCrl(copyOf(der));
  } catch (error) {
    if (error instanceof DerError) return refuse('crl-malformed', error.message);
    if (error instanceof UnsupportedCrl) return refuse('crl-unsupported', error.message);
    throw error;
  }
  const { crl, algorithm, tbs, signature } = read;
  if (!sameBytes(crl.issuerDer, ca.subjectDer)) {
    return refuse('crl-malformed', `it is of ${crl.issuer}, not of ${ca.subject}`);
  }
  if (ca.keyUsage && !ca.keyUsage.includes('cRLSign')) {
    return refuse('crl-malformed', `${ca.subject} may not sign revocation lists`);
  }
  if (algorithm.kind === 'unsupported') {
    return refuse('crl-malformed', `it is signed with ${algorithm.oid}, which proves nothing`);
  }
  const signed = await verifySignature(algorithm, ca.spki, tbs, signature);
  return signed ? ok(crl) : refuse('crl-malformed', `it is not signed by ${ca.subject}`);
}

/**
 * Does the list revoke the certificate?
 *
 * @returns its entry; nothing for a certificate of another issuer, of which the list says nothing
 */
export const crlRevokes = (
  crl: Crl,
  certificate: Pick<ParsedCertificate, 'serial' | 'issuerDer'>,
): RevokedEntry | undefined =>
  sameBytes(crl.issuerDer, certificate.issuerDer) ? crl.revoked.get(certificate.serial) : undefined;

const hexBytes = (hex: string): Bytes =>
  Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

const extension = (oid: string, value: Bytes): Bytes =>
  encode(tags.sequence, encodeOid(oid), encode(tags.octetString, value));

function encodeEntry({ serial, revokedAt, reason }: RevokedEntry): Bytes {
  // RFC 5280 section 5.3.1: `unspecified` is said by silence.
  const code = reason === undefined || reason === 'unspecified' ? -1 : reasons.indexOf(reason);
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
