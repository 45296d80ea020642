import { type Bytes, utf8 } from '@sallyport/bytes';
import { blockLength, type CbcCipher, decryptCbc, unpad } from '../cipher/cbc.ts';
import { DerError, readElement, tags, tryDer } from '../der.ts';
import { opensslBytesToKey } from '../kdf/derive-key.ts';
import type { PemBlock } from '../pem.ts';
import { neededPassword, type Reading, refusal, wrongPassword } from './reading.ts';

const ciphers: Readonly<Record<string, CbcCipher>> = {
  'AES-128-CBC': { kind: 'aes', keyLength: 16 },
  'AES-192-CBC': { kind: 'aes', keyLength: 24 },
  'AES-256-CBC': { kind: 'aes', keyLength: 32 },
  'DES-CBC': { kind: 'des', keyLength: 8 },
  'DES-EDE3-CBC': { kind: 'des', keyLength: 24 },
  'DES-EDE-CBC': { kind: 'des', keyLength: 16 },
  'RC2-CBC': { kind: 'rc2', keyLength: 16, effectiveBits: 128 },
  'RC2-64-CBC': { kind: 'rc2', keyLength: 8, effectiveBits: 64 },
  'RC2-40-CBC': { kind: 'rc2', keyLength: 5, effectiveBits: 40 },
};

/**
 * The content of a PEM block, decrypted where its headers say so (`Proc-Type: 4,ENCRYPTED` and `DEK-Info`, as
 * OpenSSL writes them).
 *
 * @throws FaultError; `key-password-wrong` where the padding does not fit, or what is decrypted is no structure
 */
export function openTraditionalPem({ headers, der }: PemBlock, reading: Reading): Bytes {
  const procType = headers.get('proc-type');
  if (procType === undefined) return der;
  const [, name = '', ivText = ''] =
    /^([A-Z0-9-]+),([0-9A-Fa-f]+)$/.exec(headers.get('dek-info') ?? '') ?? [];
  if (procType !== '4,ENCRYPTED' || name === '')
    throw refusal('key-malformed', 'its headers are not understood');
  const cipher = ciphers[name];
  if (!cipher) throw refusal('key-unsupported', `cipher ${name.slice(0, 40)}`);
  const iv = Uint8Array.from(ivText.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  if (iv.length !== blockLength(cipher)) throw refusal('key-malformed', 'initial vector of a wrong length');
  const password = utf8(neededPassword(reading));
  const key = opensslBytesToKey(password, iv.subarray(0, 8), cipher.keyLength);
  const padded = decryptCbc(cipher, key, iv, der);
  if (!padded) throw refusal('key-malformed', 'ciphertext is not whole blocks');
  const plain = unpad(padded, blockLength(cipher));
  // One wrong password in 256 leaves a padding that looks right; what is below it is no structure then.
  if (!plain || tryDer(plain, (own) => readElement(own, tags.sequence)) instanceof DerError) {
    throw wrongPassword();
  }
  return plain;
}
