import { type Bytes, sha256Hex, toBase64 } from '@sallyport/bytes';
import { unwrap } from '@sallyport/faults';
import { parseSshBlob } from '../ssh-key.ts';

/**
 * An SSH public key file (RFC 4716).
 *
 * @param comment one line; other characters than printable ASCII and quotes are left out
 */
export function rfc4716PublicKey(blob: Bytes, comment = ''): string {
  const printable = comment
    .replace(/[^\u0020-\u007e]|["\\]/g, '')
    .trim()
    .slice(0, 200);
  // A header line has at most 72 octets; a longer one goes on behind a backslash.
  const header = printable === '' ? [] : (`Comment: "${printable}"`.match(/.{1,70}/g) ?? []);
  return [
    '---- BEGIN SSH2 PUBLIC KEY ----',
    ...header.map((line, at) => (at < header.length - 1 ? `${line}\\` : line)),
    ...(toBase64(blob).match(/.{1,70}/g) ?? []),
    '---- END SSH2 PUBLIC KEY ----',
    '',
  ].join('\n');
}

/**
 * A DNS record that tells clients a host key: its SHA-256 (RFC 4255, RFC 6594, RFC 7479).
 *
 * @param host name of the record, as it stands in the zone
 * @returns `HOST IN SSHFP ALGORITHM 2 FINGERPRINT`
 * @throws FaultError for bytes that are no key blob
 */
export function sshfpRecord(host: string, blob: Bytes): string {
  const { type } = unwrap(parseSshBlob(blob));
  const algorithm = type === 'rsa' ? 1 : type === 'ed25519' ? 4 : 3;
  return `${host} IN SSHFP ${algorithm} 2 ${sha256Hex(blob)}`;
}
