import { sha256, toBase64, toHex } from '@sallyport/bytes';
import { hash } from '../kdf/hash.ts';

/** Digests of a certificate or of an SSH key blob, for people who compare them. */
export type Fingerprints = {
  /** Hexadecimal: as `openssl x509 -fingerprint -sha256` without its colons. */
  readonly sha256: string;
  /** `SHA256:` and unpadded base64, as OpenSSH shows a key. */
  readonly sha256Base64: string;
  /** For display to partners with old programs, never to decide anything. */
  readonly sha1: string;
  /** `aa:bb:…`, as old SSH programs show a key; for display alone. */
  readonly md5: string;
};

/** Fingerprints of DER or of an SSH key blob. */
export const fingerprints = (bytes: Uint8Array): Fingerprints => ({
  sha256: toHex(sha256(bytes)),
  sha256Base64: `SHA256:${toBase64(sha256(bytes)).replace(/=+$/, '')}`,
  sha1: toHex(hash('sha1', bytes)),
  md5: (toHex(hash('md5', bytes)).match(/../g) ?? []).join(':'),
});
