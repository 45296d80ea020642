import { type Bytes, fromBase64Url, sha256Hex, toBase64Url, utf8 } from '@sallyport/bytes';
import { FaultError } from '@sallyport/faults';

/** Encrypts secrets at rest under a key that the platform holds. */
export interface KeyEncryption {
  /** @param purpose names the row the secret belongs to; the same one must be given to unwrap it */
  wrap(purpose: string, secret: Bytes): Promise<string>;
  /** Throws FaultError `internal` where the key, the purpose or the text is another. */
  unwrap(purpose: string, wrapped: string): Promise<Bytes>;
}

/**
 * AES-256-GCM under a key-encryption key. The text names the key by a short fingerprint, so that a wrong platform
 * secret is told from a damaged row.
 *
 * @param key 32 bytes
 */
export async function keyEncryption(
  key: Bytes,
  randomBytes: (length: number) => Bytes,
): Promise<KeyEncryption> {
  if (key.length !== 32) throw new TypeError('the key-encryption key must have 32 bytes');
  const name = sha256Hex(key).slice(0, 8);
  const imported = await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt', 'decrypt']);
  const parameters = (purpose: string, iv: Bytes) => ({ name: 'AES-GCM', iv, additionalData: utf8(purpose) });
  return {
    async wrap(purpose, secret) {
      const nonce = randomBytes(12);
      const encrypted = await crypto.subtle.encrypt(parameters(purpose, nonce), imported, secret);
      return `k1.${name}.${toBase64Url(nonce)}.${toBase64Url(new Uint8Array(encrypted))}`;
    },
    async unwrap(purpose, wrapped) {
      const [format, keyName, nonce, encrypted] = wrapped.split('.');
      if (format !== 'k1' || !nonce || !encrypted) {
        throw new FaultError({ code: 'internal', detail: `${purpose}: not a wrapped secret` });
      }
      if (keyName !== name) {
        throw new FaultError({
          code: 'internal',
          detail: `${purpose}: wrapped under key ${keyName}, this is ${name}`,
        });
      }
      try {
        const parameter = parameters(purpose, fromBase64Url(nonce));
        return new Uint8Array(await crypto.subtle.decrypt(parameter, imported, fromBase64Url(encrypted)));
      } catch (cause) {
        throw new FaultError({ code: 'internal', detail: `${purpose}: does not decrypt` }, { cause });
      }
    },
  };
}
