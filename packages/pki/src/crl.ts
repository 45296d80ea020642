import { type Bytes, copyOf, toHex } from '@sallyport/bytes';
import { ok, type Result, refuse } from '@sallyport/faults';
import type { ParsedCertificate } from './certificate.ts';
import {
  bitStringOctets,
  booleanValue,
  contextConstructed,
  DerError,
  DerReader,
  integerContent,
  oidText,
  readElement,
  sameBytes,
  smallInteger,
  tags,
  timeValue,
} from './der.ts';
import { nameText } from './name.ts';
import { oids } from './oids.ts';
import { readSignatureAlgorithm, verifySignature } from './signature.ts';

/** Reasons by their codes (RFC 5280 section 5.3.1); 7 is not used, 8 belongs to delta CRLs. */
export const revocationReasons = [
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
export type RevocationReason = Exclude<(typeof revocationReasons)[number], undefined>;

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
      reason = more === undefined && code !== undefined ? revocationReasons[code] : undefined;
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
    } satisfies Omit<Crl, 'revoked'>,
    entries: entries?.content ?? new Uint8Array(0),
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
  const read = refusing(() => readCrl(copyOf(der)));
  if (!read.ok) return read;
  const { crl, entries, algorithm, tbs, signature } = read.value;
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
  if (!signed) return refuse('crl-malformed', `it is not signed by ${ca.subject}`);
  // Entries are what costs time, seconds of it: nobody but the CA has us read them.
  return refusing(() => ({ ...crl, revoked: readEntries(entries) }));
}

function refusing<T>(work: () => T): Result<T> {
  try {
    return ok(work());
  } catch (error) {
    if (error instanceof DerError) return refuse('crl-malformed', error.message);
    if (error instanceof UnsupportedCrl) return refuse('crl-unsupported', error.message);
    throw error;
  }
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
