import { type Bytes, sha256Hex } from '@sallyport/bytes';
import { ok, type Result } from '@sallyport/faults';
import type { PublicKeyFacts } from '@sallyport/model';
import { keyBits, leastRsaBits, parseSpki } from './public-key.ts';
import { encodeSshBlob, sshFingerprint } from './ssh-key.ts';

/**
 * What an inventory says of a public key.
 *
 * @param spki DER SubjectPublicKeyInfo
 * @param least bits of an RSA key
 * @returns type, bits and both fingerprints; `key-unsupported` for DSA, RSA below `least` bits and unknown kinds,
 *   `key-malformed` for bytes that are no key
 */
export function keyFacts(spki: Bytes, least = leastRsaBits): Result<PublicKeyFacts> {
  const parts = parseSpki(spki, least);
  if (!parts.ok) return parts;
  return ok({
    type: parts.value.type,
    bits: keyBits(parts.value),
    sshFingerprint: sshFingerprint(encodeSshBlob(parts.value)),
    spkiSha256: sha256Hex(spki),
  });
}
