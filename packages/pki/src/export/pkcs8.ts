import type { Bytes } from '@sallyport/bytes';
import { encode, tags } from '../der.ts';
import { encryptPbes2, givenPassword, type PasswordProtection } from './pbes2.ts';

const iterations = 600_000;

/**
 * Encrypts a private key (RFC 5958 section 3): PBES2 with AES-256-CBC; PBKDF2-SHA256 of 600,000 iterations, or
 * scrypt.
 *
 * @param pkcs8 PKCS#8 DER
 * @returns DER EncryptedPrivateKeyInfo; its PEM label is `ENCRYPTED PRIVATE KEY`
 * @throws FaultError `invalid-request` for an empty password
 */
export async function encryptedPkcs8(
  pkcs8: Bytes,
  password: string,
  protection: PasswordProtection = 'pbkdf2',
): Promise<Bytes> {
  const { algorithm, ciphertext } = await encryptPbes2(
    pkcs8,
    givenPassword(password),
    protection,
    iterations,
  );
  return encode(tags.sequence, algorithm, encode(tags.octetString, ciphertext));
}
