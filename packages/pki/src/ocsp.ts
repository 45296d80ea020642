import { type Bytes, copyOf } from '@sallyport/bytes';
import { ok, type Result, refuse } from '@sallyport/faults';
import { type ParsedCertificate, parseCertificate } from './certificate.ts';
import {
  bitStringOctets,
  booleanValue,
  contextConstructed,
  contextPrimitive,
  DerError,
  DerReader,
  type Element,
  encode,
  encodeOid,
  oidText,
  readElement,
  sameBytes,
  smallInteger,
  tags,
  timeValue,
  tryDer,
} from './der.ts';
import { issuedBy } from './issued-by.ts';
import { oids } from './oids.ts';
import { readSignatureAlgorithm, verifySignature } from './signature.ts';

/** What a responder says of one certificate. */
export type OcspAnswer = {
  readonly status: 'good' | 'revoked' | 'unknown';
  readonly thisUpdate: Date;
  /** The answer is of no use after that. */
  readonly nextUpdate: Date;
};

/** A response goes into every handshake: one with a responder's certificate takes about 2 KiB. */
export const maxOcspResponseBytes = 8_192;

/** Clocks of responders may be ahead of ours by that much. */
const skewMs = 300_000;
const mostAnswers = 64;

type CertificateId = { readonly nameHash: Bytes; readonly keyHash: Bytes; readonly serial: Bytes };

/** Names certificates to responders; it protects nothing (RFC 5019 section 2.1.1 wants it of clients). */
const sha1 = async (bytes: Bytes): Promise<Bytes> => copyOf(await crypto.subtle.digest('SHA-1', bytes));

/** SHA-1 of the key's bits, as RFC 6960 section 4.1.1 names a key. */
function keyHashOf({ spki }: ParsedCertificate): Promise<Bytes> {
  const fields = new DerReader(readElement(spki, tags.sequence).content);
  fields.next(tags.sequence);
  return sha1(copyOf(bitStringOctets(fields.next(tags.bitString))));
}

/** The serial number as the certificate writes it. */
function serialOf({ tbs }: ParsedCertificate): Bytes {
  const fields = new DerReader(readElement(tbs, tags.sequence).content);
  fields.optional(contextConstructed(0));
  return fields.next(tags.integer).content;
}

const certificateId = async (
  certificate: ParsedCertificate,
  issuer: ParsedCertificate,
): Promise<CertificateId> => ({
  nameHash: await sha1(issuer.subjectDer),
  keyHash: await keyHashOf(issuer),
  serial: serialOf(certificate),
});

/**
 * Asks for the status of one certificate (RFC 6960 section 4.1), without a nonce: the answer is for many (RFC 5019).
 *
 * @param issuer the CA that signed the certificate
 * @returns DER of an OCSPRequest
 */
export async function ocspRequest(certificate: ParsedCertificate, issuer: ParsedCertificate): Promise<Bytes> {
  const { nameHash, keyHash, serial } = await certificateId(certificate, issuer);
  const id = encode(
    tags.sequence,
    encode(tags.sequence, encodeOid(oids.sha1), encode(tags.null)),
    encode(tags.octetString, nameHash),
    encode(tags.octetString, keyHash),
    encode(tags.integer, serial),
  );
  const requests = encode(tags.sequence, encode(tags.sequence, id));
  return encode(tags.sequence, encode(tags.sequence, requests));
}

const responseStatus: readonly (string | undefined)[] = [
  'successful',
  'malformedRequest',
  'internalError',
  'tryLater',
  undefined,
  'sigRequired',
  'unauthorized',
];

/** Extensions that must be understood are not: there is none that a stapled answer needs. */
function refuseCritical(extensions: Element | undefined): void {
  if (!extensions) return;
  const list = new DerReader(readElement(extensions.content, tags.sequence).content);
  while (!list.atEnd) {
    const fields = list.inside(tags.sequence);
    fields.next(tags.oid);
    const critical = fields.optional(tags.boolean);
    if (critical && booleanValue(critical)) throw new DerError('a critical extension');
  }
}

type SingleAnswer = CertificateId &
  Omit<OcspAnswer, 'nextUpdate'> & { readonly hash: string; readonly nextUpdate?: Date };

function readSingle(fields: DerReader): SingleAnswer {
  const id = fields.inside(tags.sequence);
  const hash = oidText(id.inside(tags.sequence).next(tags.oid));
  const nameHash = id.next(tags.octetString).content;
  const keyHash = id.next(tags.octetString).content;
  const serial = id.next(tags.integer).content;
  id.finish();
  const statusTag = fields.any().tag;
  const status =
    statusTag === contextPrimitive(0)
      ? 'good'
      : statusTag === contextConstructed(1)
        ? 'revoked'
        : statusTag === contextPrimitive(2)
          ? 'unknown'
          : undefined;
  if (status === undefined) throw new DerError('no such status');
  const thisUpdate = timeValue(fields.next(tags.generalizedTime));
  const next = fields.optional(contextConstructed(0));
  refuseCritical(fields.optional(contextConstructed(1)));
  fields.finish();
  return {
    hash,
    nameHash,
    keyHash,
    serial,
    status,
    thisUpdate,
    ...(next ? { nextUpdate: timeValue(readElement(next.content, tags.generalizedTime)) } : {}),
  };
}

function readResponse(der: Bytes) {
  const outer = new DerReader(readElement(der, tags.sequence).content);
  const [code = 0] = outer.next(tags.enumerated).content;
  if (code !== 0) throw new DerError(`the responder says ${responseStatus[code] ?? code}`);
  const typed = new DerReader(readElement(outer.next(contextConstructed(0)).content, tags.sequence).content);
  outer.finish();
  if (oidText(typed.next(tags.oid)) !== oids.ocspBasic) throw new DerError('not a basic response');
  const basic = new DerReader(
    readElement(copyOf(typed.next(tags.octetString).content), tags.sequence).content,
  );
  typed.finish();

  const data = basic.next(tags.sequence);
  const algorithm = readSignatureAlgorithm(basic.next(tags.sequence).content);
  const signature = copyOf(bitStringOctets(basic.next(tags.bitString)));
  const attached = basic.optional(contextConstructed(0));
  basic.finish();
  const certificates: Bytes[] = [];
  const list = attached && new DerReader(readElement(attached.content, tags.sequence).content);
  while (list && !list.atEnd && certificates.length < 5) certificates.push(copyOf(list.any().raw));

  const fields = new DerReader(data.content);
  const version = fields.optional(contextConstructed(0));
  if (version && smallInteger(readElement(version.content, tags.integer)) !== 0) {
    throw new DerError('unknown version');
  }
  const responder = fields.any();
  timeValue(fields.next(tags.generalizedTime));
  const singles = fields.inside(tags.sequence);
  const answers: SingleAnswer[] = [];
  while (!singles.atEnd) {
    if (answers.length === mostAnswers) throw new DerError(`more than ${mostAnswers} answers`);
    answers.push(readSingle(singles.inside(tags.sequence)));
  }
  refuseCritical(fields.optional(contextConstructed(1)));
  fields.finish();
  return { data: copyOf(data.raw), algorithm, signature, certificates, responder, answers };
}

/** Is the certificate the one that the response names as its signer? */
async function isNamed(responder: Element, signer: ParsedCertificate): Promise<boolean> {
  if (responder.tag === contextConstructed(1)) return sameBytes(responder.content, signer.subjectDer);
  if (responder.tag !== contextConstructed(2)) return false;
  const named = tryDer(responder.content, (own) => readElement(own, tags.octetString).content);
  return !(named instanceof DerError) && sameBytes(named, await keyHashOf(signer));
}

/** Who may answer for the issuer: itself, or whom it has certified for that (RFC 6960 section 4.2.2.2). */
async function mayAnswer(signer: ParsedCertificate, issuer: ParsedCertificate, now: Date): Promise<boolean> {
  if (sameBytes(signer.der, issuer.der)) return true;
  return (
    (signer.extendedKeyUsage ?? []).includes(oids.ocspSigning) &&
    signer.notBefore <= now &&
    now <= signer.notAfter &&
    (await issuedBy(signer, issuer))
  );
}

const bad = (detail: string): Result<never> => refuse('ocsp-unusable', detail);

/**
 * Reads a response and judges it as a client would that gets it stapled (RFC 6960 section 3.2): it is about this
 * certificate, signed by its issuer or whom that has certified for it, and current. Whether the responder's own
 * certificate was revoked is not looked up: such certificates are short-lived (section 4.2.2.2.1).
 *
 * @returns the answer, whatever it says; `ocsp-unusable` with what is wrong
 */
export async function verifyOcspResponse(
  der: Uint8Array,
  options: {
    readonly certificate: ParsedCertificate;
    readonly issuer: ParsedCertificate;
    readonly now: Date;
  },
): Promise<Result<OcspAnswer>> {
  const { certificate, issuer, now } = options;
  if (der.length > maxOcspResponseBytes) return bad(`more than ${maxOcspResponseBytes} bytes`);
  const read = tryDer(der, readResponse);
  if (read instanceof DerError) return bad(read.message);

  const id = await certificateId(certificate, issuer);
  const answer = read.answers.find(
    ({ hash, nameHash, keyHash, serial }) =>
      hash === oids.sha1 &&
      sameBytes(nameHash, id.nameHash) &&
      sameBytes(keyHash, id.keyHash) &&
      sameBytes(serial, id.serial),
  );
  if (!answer) return bad('it does not speak of the certificate');

  const signers = [issuer];
  for (const attached of read.certificates) {
    const parsed = parseCertificate(attached);
    if (parsed.ok) signers.push(parsed.value);
  }
  let signed = false;
  for (const signer of signers) {
    signed =
      (await isNamed(read.responder, signer)) &&
      (await mayAnswer(signer, issuer, now)) &&
      read.algorithm.kind !== 'unsupported' &&
      (await verifySignature(read.algorithm, signer.spki, read.data, read.signature));
    if (signed) break;
  }
  if (!signed) return bad('it is not signed by the issuer nor by a responder of it');

  const { status, thisUpdate, nextUpdate } = answer;
  if (thisUpdate.getTime() > now.getTime() + skewMs) return bad('it is of the future');
  if (!nextUpdate) return bad('it does not say when the next one comes');
  if (nextUpdate <= now) return bad('it is out of date');
  return ok({ status, thisUpdate, nextUpdate });
}
