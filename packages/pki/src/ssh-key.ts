import { type Bytes, concat, copyOf, sha256, toBase64 } from '@sallyport/bytes';
import { ok, type Result, refuse } from '@sallyport/faults';
import type { EcdsaType } from './elliptic-curve.ts';
import { checkPublicKey, encodeSpki, leastRsaBits, type PublicKeyParts, parseSpki } from './public-key.ts';
import { SshReader, SshWireError, sshMpint, sshString } from './ssh-wire.ts';

const ecdsaNames: Readonly<Record<EcdsaType, string>> = {
  'ecdsa-p256': 'nistp256',
  'ecdsa-p384': 'nistp384',
  'ecdsa-p521': 'nistp521',
};

/** Public key algorithm name of a key (RFC 4253 section 6.6, RFC 5656, RFC 8709). */
export function sshKeyName(type: PublicKeyParts['type']): string {
  if (type === 'rsa') return 'ssh-rsa';
  return type === 'ed25519' ? 'ssh-ed25519' : `ecdsa-sha2-${ecdsaNames[type]}`;
}

/** Curve type of an ECDSA key algorithm name. */
export const sshEcdsaType = (name: string): EcdsaType | undefined =>
  (Object.keys(ecdsaNames) as EcdsaType[]).find((candidate) => sshKeyName(candidate) === name);

/** SSH key blob of a key (RFC 4253 section 6.6, RFC 5656 section 3.1, RFC 8709 section 4). */
export function encodeSshBlob(parts: PublicKeyParts): Bytes {
  const name = sshString(sshKeyName(parts.type));
  switch (parts.type) {
    case 'rsa':
      return concat(name, sshMpint(parts.exponent), sshMpint(parts.modulus));
    case 'ed25519':
      return concat(name, sshString(parts.point));
    default:
      return concat(name, sshString(ecdsaNames[parts.type]), sshString(parts.point));
  }
}

function readBlob(blob: Uint8Array): PublicKeyParts | { readonly unsupported: string } {
  const reader = new SshReader(blob);
  const name = reader.text();
  if (name === 'ssh-rsa') {
    const exponent = copyOf(reader.positiveMpint());
    const modulus = copyOf(reader.positiveMpint());
    reader.finish();
    return { type: 'rsa', modulus, exponent };
  }
  if (name === 'ssh-ed25519') {
    const point = copyOf(reader.string());
    reader.finish();
    return { type: 'ed25519', point };
  }
  const type = sshEcdsaType(name);
  if (!type) return { unsupported: `SSH key type ${name}` };
  if (reader.text() !== ecdsaNames[type]) throw new SshWireError('curve differs from the key type');
  const point = copyOf(reader.string());
  reader.finish();
  return { type, point };
}

/**
 * Takes an SSH key blob apart: canonical numbers, a point of the curve, nothing behind it.
 *
 * @returns the key; `key-malformed` or `key-unsupported`
 */
export function parseSshBlob(blob: Uint8Array, least = leastRsaBits): Result<PublicKeyParts> {
  try {
    const read = readBlob(blob);
    return 'unsupported' in read ? refuse('key-unsupported', read.unsupported) : checkPublicKey(read, least);
  } catch (error) {
    if (error instanceof SshWireError) return refuse('key-malformed', error.message);
    throw error;
  }
}

/**
 * SSH key blob of a SubjectPublicKeyInfo.
 *
 * @param spki DER
 * @param least bits of an RSA key
 * @returns the blob; `key-malformed` or `key-unsupported`
 */
export function sshBlobOf(spki: Bytes, least = leastRsaBits): Result<Bytes> {
  const parts = parseSpki(spki, least);
  return parts.ok ? ok(encodeSshBlob(parts.value)) : parts;
}

/**
 * DER SubjectPublicKeyInfo of an SSH key blob.
 *
 * @param least bits of an RSA key
 * @returns the SPKI; `key-malformed` or `key-unsupported`
 */
export function spkiOfSshBlob(blob: Bytes, least = leastRsaBits): Result<Bytes> {
  const parts = parseSshBlob(blob, least);
  return parts.ok ? ok(encodeSpki(parts.value)) : parts;
}

/** OpenSSH's fingerprint of a key blob: `SHA256:` and unpadded base64. */
export const sshFingerprint = (blob: Uint8Array): string =>
  `SHA256:${toBase64(sha256(blob)).replace(/=+$/, '')}`;

const oneLine = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').trim();

/** `type base64 comment`: a line of an OpenSSH public key file. Throws for bytes that are no key blob. */
export function sshPublicKeyLine(blob: Bytes, comment = ''): string {
  const name = new SshReader(blob).text();
  return oneLine(`${name} ${toBase64(blob)} ${comment}`);
}

/**
 * A line of an OpenSSH known_hosts file (sshd(8)).
 *
 * @param host name or address, IPv6 without brackets
 */
export const knownHostsLine = (host: string, port: number, blob: Bytes): string =>
  `${port === 22 ? host : `[${host}]:${port}`} ${sshPublicKeyLine(blob)}`;
