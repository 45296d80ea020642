import { type Bytes, utf8 } from '@sallyport/bytes';
import { FaultError } from '@sallyport/faults';
import { encryptAesCbc } from '../cipher/cbc.ts';
import { encode, encodeInteger, encodeOid, tags } from '../der.ts';
import { pbkdf2, scrypt } from '../kdf/derive-key.ts';
import { unboundedWork } from '../kdf/work-budget.ts';
import { oids } from '../oids.ts';

/** How the password of an exported file becomes its key. */
export type PasswordProtection = 'pbkdf2' | 'scrypt';

/** The password of an exported file; throws FaultError `invalid-request` for an empty one. */
export function givenPassword(password: string): string {
  if (password === '')
    throw new FaultError({ code: 'invalid-request', detail: 'a private key needs a password' });
  return password;
}

/** OpenSSL refuses scrypt beyond 32 MiB, so its strength comes from repetition. */
const scryptCost = { cost: 16_384, blockSize: 8, parallelization: 5 } as const;

async function derive(
  password: Bytes,
  how: PasswordProtection,
  iterations: number,
): Promise<{ readonly key: Bytes; readonly identifier: Bytes }> {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  if (how === 'scrypt') {
    const key = await scrypt({ password, salt, ...scryptCost, length: 32 }, unboundedWork);
    const { cost, blockSize, parallelization } = scryptCost;
    const parameters = encode(
      tags.sequence,
      encode(tags.octetString, salt),
      ...[cost, blockSize, parallelization].map(encodeInteger),
    );
    return { key, identifier: encode(tags.sequence, encodeOid(oids.scrypt), parameters) };
  }
  const key = await pbkdf2({ hash: 'sha256', password, salt, iterations, length: 32 }, unboundedWork);
  const prf = encode(tags.sequence, encodeOid(oids.hmacWithSha256), encode(tags.null));
  const parameters = encode(tags.sequence, encode(tags.octetString, salt), encodeInteger(iterations), prf);
  return { key, identifier: encode(tags.sequence, encodeOid(oids.pbkdf2), parameters) };
}

/**
 * Encrypts with PBES2: AES-256-CBC under a key from the password (RFC 8018 section 6.2).
 *
 * @param iterations of PBKDF2 with SHA-256
 * @returns DER AlgorithmIdentifier, and the ciphertext
 */
export async function encryptPbes2(
  plaintext: Uint8Array,
  password: string,
  how: PasswordProtection,
  iterations: number,
): Promise<{ readonly algorithm: Bytes; readonly ciphertext: Bytes }> {
  const { key, identifier } = await derive(utf8(password), how, iterations);
  const iv = crypto.getRandomValues(new Uint8Array(16));
  const cipher = encode(tags.sequence, encodeOid(oids.aes256Cbc), encode(tags.octetString, iv));
  const parameters = encode(tags.sequence, identifier, cipher);
  return {
    algorithm: encode(tags.sequence, encodeOid(oids.pbes2), parameters),
    ciphertext: encryptAesCbc(key, iv, plaintext),
  };
}
