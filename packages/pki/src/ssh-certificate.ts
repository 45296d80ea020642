import { type Bytes, concat, copyOf, fromUtf8, toBase64 } from '@sallyport/bytes';
import { FaultError, ok, type Result, refuse, unwrap } from '@sallyport/faults';
import type { PublicKeyFacts } from '@sallyport/model';
import { keyFacts } from './key-facts.ts';
import { encodeSpki, type PublicKeyParts } from './public-key.ts';
import { encodeSshBlob, parseSshBlob, sshKeyName } from './ssh-key.ts';
import { SshReader, SshWireError, sshString } from './ssh-wire.ts';

/** An OpenSSH certificate, read and not judged (PROTOCOL.certkeys of OpenSSH). */
export type SshCertificate = {
  /** The whole blob, signature included. */
  readonly blob: Bytes;
  readonly kind: 'user' | 'host';
  /** SSH key blob of the certified key, without the certificate. */
  readonly key: Bytes;
  /** DER SubjectPublicKeyInfo of the same key. */
  readonly spki: Bytes;
  readonly facts: PublicKeyFacts;
  readonly serial: bigint;
  readonly keyId: string;
  /** Login names or host names. Empty: it says none, and is accepted for none. */
  readonly principals: readonly string[];
  readonly validAfter: Date;
  /** Absent: for ever. */
  readonly validBefore?: Date;
  /** Values of critical options as they stand there, after their own length. */
  readonly criticalOptions: ReadonlyMap<string, string>;
  readonly extensions: readonly string[];
  /** SSH key blob of the CA. */
  readonly ca: Bytes;
  readonly caFacts: PublicKeyFacts;
  /** What the signature covers, and the signature blob. */
  readonly signed: Bytes;
  readonly signature: Bytes;
};

/** Names of the certificate types by the type of their key. */
export const sshCertificateName = (type: PublicKeyParts['type']): string =>
  `${sshKeyName(type)}-cert-v01@openssh.com`;

const mostBytes = 65_536;
const mostPrincipals = 256;
const forever = 0xffff_ffff_ffff_ffffn;
/** Last second that a Date holds. */
const lastDate = 8_640_000_000_000n;

function text(bytes: Bytes): string {
  try {
    return fromUtf8(bytes);
  } catch {
    throw new SshWireError('text is not UTF-8');
  }
}

/** Pairs of name and data, names in ascending order and once each. */
function readOptions(bytes: Bytes): Map<string, string> {
  const reader = new SshReader(bytes);
  const options = new Map<string, string>();
  let before = '';
  while (!reader.atEnd) {
    const name = reader.text();
    const data = reader.string();
    if (name <= before) throw new SshWireError('options are not in order');
    before = name;
    let value = '';
    if (data.length > 0) {
      const inner = new SshReader(data);
      value = text(inner.string());
      inner.finish();
    }
    options.set(name, value);
  }
  return options;
}

/** The key that stands in a certificate without the names around it, and its blob. */
function readKey(name: string, reader: SshReader): Bytes {
  const plain = name.slice(0, -'-cert-v01@openssh.com'.length);
  const parts = plain === 'ssh-ed25519' ? 1 : 2;
  const known = /^(?:ssh-rsa|ssh-ed25519|ecdsa-sha2-nistp(?:256|384|521))$/.test(plain);
  if (!known || !name.endsWith('-cert-v01@openssh.com')) {
    throw new FaultError({ code: 'key-unsupported', detail: `SSH certificate type ${name}` });
  }
  const fields = Array.from({ length: parts }, () => sshString(reader.string()));
  return concat(sshString(plain), ...fields);
}

const dateOf = (seconds: bigint): Date => new Date(Number(seconds > lastDate ? lastDate : seconds) * 1_000);

function readCertificate(blob: Bytes, least?: number): SshCertificate {
  const reader = new SshReader(blob);
  const name = reader.text();
  reader.string(); // The nonce: it only makes the signed bytes unforeseeable.
  const key = readKey(name, reader);
  const parts = unwrap(parseSshBlob(key, least));
  const serial = reader.uint64();
  const type = reader.uint32();
  if (type !== 1 && type !== 2) throw new SshWireError('neither a user nor a host certificate');
  const keyId = text(reader.string());
  const list = new SshReader(reader.string());
  const principals: string[] = [];
  while (!list.atEnd) {
    if (principals.length === mostPrincipals)
      throw new SshWireError(`more than ${mostPrincipals} principals`);
    principals.push(text(list.string()));
  }
  const validAfter = reader.uint64();
  const validBefore = reader.uint64();
  if (validBefore <= validAfter) throw new SshWireError('validity ends before it begins');
  const criticalOptions = readOptions(reader.string());
  const extensions = [...readOptions(reader.string()).keys()];
  reader.string(); // Reserved.
  const ca = copyOf(reader.string());
  const signed = copyOf(blob.subarray(0, reader.at));
  const signature = copyOf(reader.string());
  reader.finish();
  const caParts = unwrap(parseSshBlob(ca));
  const spki = encodeSpki(parts);
  return {
    blob,
    kind: type === 1 ? 'user' : 'host',
    key: encodeSshBlob(parts),
    spki,
    facts: unwrap(keyFacts(spki, least)),
    serial,
    keyId,
    principals,
    validAfter: dateOf(validAfter),
    ...(validBefore === forever ? {} : { validBefore: dateOf(validBefore) }),
    criticalOptions,
    extensions,
    ca,
    caFacts: unwrap(keyFacts(encodeSpki(caParts))),
    signed,
    signature,
  };
}

/**
 * Reads an OpenSSH certificate. It verifies nothing.
 *
 * @param blob at most 64 KiB
 * @param least bits of an RSA key that is certified; a CA's has 2048 at least
 * @returns the certificate; `certificate-malformed`, or `key-unsupported`/`key-malformed` for its keys
 */
export function parseSshCertificate(blob: Uint8Array, least?: number): Result<SshCertificate> {
  if (blob.length > mostBytes) return refuse('certificate-malformed', `more than ${mostBytes} bytes`);
  try {
    return ok(readCertificate(copyOf(blob), least));
  } catch (error) {
    if (error instanceof SshWireError) return refuse('certificate-malformed', error.message);
    if (error instanceof FaultError) return { ok: false, fault: error.fault };
    throw error;
  }
}

/** `type base64 comment`: a line of an OpenSSH certificate file. */
export const sshCertificateLine = ({ blob, facts }: SshCertificate, comment = ''): string =>
  `${sshCertificateName(facts.type)} ${toBase64(blob)} ${comment}`.replace(/\p{Cc}+/gu, ' ').trim();
