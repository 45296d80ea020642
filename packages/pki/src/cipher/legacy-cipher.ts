import { type Bytes, concat } from '@sallyport/bytes';
import forge from 'node-forge/lib/forge.js';
import 'node-forge/lib/des.js';
import 'node-forge/lib/rc2.js';

/*
 * What partners' old files are encrypted with. For reading alone: nothing is written with these.
 * Each function returns the plaintext with its padding, and takes whole blocks.
 */

const octetsOf = (bytes: Uint8Array): string => {
  let text = '';
  for (const octet of bytes) text += String.fromCharCode(octet);
  return text;
};

const bytesOf = (octets: string): Bytes => Uint8Array.from(octets, (octet) => octet.charCodeAt(0));

/** Padding is looked at by whoever knows what it must be. */
const leavePadding = (): boolean => true;

/** DES in CBC mode (FIPS 46-3): a key of 8 octets, or of 16 or 24 for triple DES. */
export function decryptDes(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Bytes {
  const single = key.length === 8;
  const whole = key.length === 16 ? concat(key, key.subarray(0, 8)) : key;
  const cipher = forge.cipher.createDecipher(single ? 'DES-CBC' : '3DES-CBC', octetsOf(whole));
  cipher.start({ iv: octetsOf(iv) });
  cipher.update(forge.util.createBuffer(octetsOf(ciphertext)));
  cipher.finish(leavePadding);
  return bytesOf(cipher.output.getBytes());
}

/** The library's time for RC2 grows with the square of the length, so it is given pieces. */
const rc2Piece = 4_096;

/** RC2 in CBC mode (RFC 2268). */
export function decryptRc2(
  key: Uint8Array,
  effectiveBits: number,
  iv: Uint8Array,
  ciphertext: Uint8Array,
): Bytes {
  const pieces: Bytes[] = [];
  let vector = iv;
  for (let at = 0; at < ciphertext.length; at += rc2Piece) {
    const piece = ciphertext.subarray(at, at + rc2Piece);
    const cipher = forge.rc2.createDecryptionCipher(octetsOf(key), effectiveBits);
    cipher.start(octetsOf(vector));
    cipher.update(forge.util.createBuffer(octetsOf(piece)));
    cipher.finish(leavePadding);
    pieces.push(bytesOf(cipher.output.getBytes()));
    // In CBC mode a piece begins with the last ciphertext block before it.
    vector = piece.subarray(-8);
  }
  return concat(...pieces);
}

/** RC4, which no library of ours has: a permutation and an exclusive or. */
export function decryptRc4(key: Uint8Array, ciphertext: Uint8Array): Bytes {
  const state = Uint8Array.from({ length: 256 }, (_, i) => i);
  const swap = (a: number, b: number): void => {
    const kept = state[a] as number;
    state[a] = state[b] as number;
    state[b] = kept;
  };
  for (let i = 0, j = 0; i < 256; i++) {
    j = (j + (state[i] as number) + (key[i % key.length] as number)) & 0xff;
    swap(i, j);
  }
  let i = 0;
  let j = 0;
  return Uint8Array.from(ciphertext, (octet) => {
    i = (i + 1) & 0xff;
    j = (j + (state[i] as number)) & 0xff;
    swap(i, j);
    return octet ^ (state[((state[i] as number) + (state[j] as number)) & 0xff] as number);
  });
}
