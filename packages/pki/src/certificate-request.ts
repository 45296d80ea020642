// The library's decorators need it before anything of theirs is evaluated.
import 'reflect-metadata';
import { type Bytes, copyOf } from '@sallyport/bytes';
import { FaultError, ok, type Result, refuse, unwrap } from '@sallyport/faults';
import type { PublicKeyFacts, SubjectAltName } from '@sallyport/model';
import { altNames } from './alt-names.ts';
import {
  bitStringOctets,
  contextConstructed,
  DerError,
  DerReader,
  encode,
  encodeInteger,
  encodeOid,
  oidText,
  smallInteger,
  tags,
} from './der.ts';
import { readExtensions } from './extensions.ts';
import { type CertificateContent, type Issuer, issueCertificate } from './issue.ts';
import { keyFacts } from './key-facts.ts';
import type { KeyPair } from './key-pair.ts';
import { nameText } from './name.ts';
import { oids } from './oids.ts';
import { signedDer } from './sign.ts';
import { readSignatureAlgorithm, verifySignature } from './signature.ts';
import { encodeSubject, type SubjectName } from './subject.ts';

/** A certificate request whose holder has proved the key. What it asks for is a wish. */
export type CertificateRequest = {
  readonly der: Bytes;
  /** RFC 4514 text. */
  readonly subject: string;
  readonly subjectDer: Bytes;
  readonly sans: readonly SubjectAltName[];
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Bytes;
  readonly key: PublicKeyFacts;
};

const mostBytes = 65_536;

/**
 * Makes a certificate request (RFC 2986).
 *
 * @param keys PKCS#8 and SPKI, both DER; the private key signs and stays
 * @returns DER; its PEM label is `CERTIFICATE REQUEST`
 * @throws FaultError `invalid-request` for a name that cannot be, `key-mismatch` for keys that do not belong together,
 *   and the faults of `keyFacts`
 */
export async function createCertificateRequest(
  keys: KeyPair,
  wish: { readonly subject: SubjectName; readonly sans: readonly SubjectAltName[] },
): Promise<Bytes> {
  const { type } = unwrap(keyFacts(keys.spki));
  const extensions = altNames(wish.sans).map((extension) => copyOf(extension.rawData));
  const request = encode(
    tags.sequence,
    encodeOid(oids.extensionRequest),
    encode(tags.set, encode(tags.sequence, ...extensions)),
  );
  const info = encode(
    tags.sequence,
    encodeInteger(0),
    unwrap(encodeSubject(wish.subject)),
    keys.spki,
    encode(contextConstructed(0), ...(extensions.length === 0 ? [] : [request])),
  );
  const der = await signedDer(info, keys.privateKey, type);
  if (!(await parseCertificateRequest(der)).ok) {
    throw new FaultError({
      code: 'key-mismatch',
      detail: 'the private key does not belong to the public one',
    });
  }
  return der;
}

/** Extensions that the attributes of a request ask for: content of the list. */
function requestedExtensions(attributes: DerReader): Bytes | undefined {
  let found: Bytes | undefined;
  while (!attributes.atEnd) {
    const attribute = attributes.inside(tags.sequence);
    const type = oidText(attribute.next(tags.oid));
    const values = attribute.inside(tags.set);
    attribute.finish();
    if (type !== oids.extensionRequest) continue;
    if (found) throw new DerError('extensions are asked for twice');
    found = values.next(tags.sequence).content;
    values.finish();
  }
  return found;
}

function readRequest(der: Bytes) {
  const whole = new DerReader(der);
  const request = whole.inside(tags.sequence);
  whole.finish();
  const info = request.next(tags.sequence);
  const algorithm = readSignatureAlgorithm(request.next(tags.sequence).content);
  const signature = copyOf(bitStringOctets(request.next(tags.bitString)));
  request.finish();
  const fields = new DerReader(info.content);
  if (smallInteger(fields.next(tags.integer)) !== 0) throw new DerError('unknown version');
  const subjectDer = copyOf(fields.next(tags.sequence).raw);
  const spki = copyOf(fields.next(tags.sequence).raw);
  // Mandatory in the standard, left out by some.
  const attributes = fields.optional(contextConstructed(0));
  fields.finish();
  const { sans } = readExtensions(attributes && requestedExtensions(new DerReader(attributes.content)));
  return {
    info: copyOf(info.raw),
    algorithm,
    signature,
    request: {
      der,
      subject: nameText(subjectDer),
      subjectDer,
      sans,
      spki,
      key: unwrap(keyFacts(spki)),
    } satisfies CertificateRequest,
  };
}

/**
 * Reads a certificate request and verifies that its holder has the key (RFC 2986 section 4.2).
 *
 * @param der at most 64 KiB
 * @returns the request; `csr-malformed` (its signature included), or `key-unsupported`/`key-malformed` for its key
 */
export async function parseCertificateRequest(der: Uint8Array): Promise<Result<CertificateRequest>> {
  if (der.length > mostBytes) return refuse('csr-malformed', `more than ${mostBytes} bytes`);
  let read: ReturnType<typeof readRequest>;
  try {
    read = readRequest(copyOf(der));
  } catch (error) {
    if (error instanceof DerError) return refuse('csr-malformed', error.message);
    if (error instanceof FaultError) return { ok: false, fault: error.fault };
    throw error;
  }
  const { algorithm, info, signature, request } = read;
  if (algorithm.kind === 'unsupported') {
    return refuse('csr-malformed', `it is signed with ${algorithm.oid}, which proves nothing`);
  }
  const proved = await verifySignature(algorithm, request.spki, info, signature);
  return proved ? ok(request) : refuse('csr-malformed', 'its signature is not of its key');
}

/**
 * Signs a certificate for the holder of a request. Subject, names and purpose are the caller's to choose: what the
 * request asks for proves nothing.
 *
 * @param request as `parseCertificateRequest` returned it
 * @returns DER
 * @throws FaultError as `issueCertificate`
 */
export const issueFromRequest = (
  request: CertificateRequest,
  issuer: Issuer,
  content: CertificateContent,
): Promise<Bytes> => issueCertificate({ ...content, issuer, spki: request.spki });
