import { cbc } from '@noble/ciphers/aes.js';
import { type Bytes, copyOf } from '@sallyport/bytes';
import { decryptDes, decryptRc2 } from './legacy-cipher.ts';

/** A block cipher in CBC mode; lengths in octets. */
export type CbcCipher =
  | { readonly kind: 'aes'; readonly keyLength: 16 | 24 | 32 }
  | { readonly kind: 'des'; readonly keyLength: 8 | 16 | 24 }
  | { readonly kind: 'rc2'; readonly keyLength: number; readonly effectiveBits: number };

/** Octets of a block, and of the initial vector. */
export const blockLength = (cipher: CbcCipher): 8 | 16 => (cipher.kind === 'aes' ? 16 : 8);

/**
 * Decrypts and leaves the padding.
 *
 * @param key of the cipher's key length; `iv` of its block length
 * @returns nothing where the ciphertext is not whole blocks
 */
export function decryptCbc(
  cipher: CbcCipher,
  key: Uint8Array,
  iv: Uint8Array,
  ciphertext: Uint8Array,
): Bytes | undefined {
  if (ciphertext.length === 0 || ciphertext.length % blockLength(cipher) !== 0) return undefined;
  switch (cipher.kind) {
    case 'aes':
      return copyOf(cbc(key, iv, { disablePadding: true }).decrypt(ciphertext));
    case 'des':
      return decryptDes(key, iv, ciphertext);
    case 'rc2':
      return decryptRc2(key, cipher.effectiveBits, iv, ciphertext);
  }
}

/** Encrypts with AES-CBC and pads (RFC 5652 section 6.3). */
export const encryptAesCbc = (key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array): Bytes =>
  copyOf(cbc(key, iv).encrypt(plaintext));

/** Takes the padding of RFC 5652 section 6.3 away; nothing where it is none, as after a wrong password. */
export function unpad(padded: Bytes, block: 8 | 16): Bytes | undefined {
  const count = padded.at(-1) ?? 0;
  if (count < 1 || count > block || count > padded.length) return undefined;
  const padding = padded.subarray(padded.length - count);
  return padding.every((octet) => octet === count) ? padded.subarray(0, padded.length - count) : undefined;
}
