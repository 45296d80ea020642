import { type Bytes, canonicalJson, concat, deriveKey, hmacSha256, toHex, utf8 } from '@sallyport/bytes';
import { ok, type Result, refuse } from '@sallyport/faults';
import type { SectionName } from './documents.ts';

const nonceBytes = 12;

/** The keys of one key epoch of one zone, each derived for one purpose from the zone content key. */
export interface SectionCipher {
  readonly zone: string;
  readonly keyEpoch: number;
  /** AES-256-GCM; nonce first. The additional data bind schema, zone, section and key epoch. */
  encrypt(section: SectionName, plaintext: Bytes, nonce: Bytes): Promise<Bytes>;
  /** The plaintext, or `section-undecryptable`. */
  decrypt(section: SectionName, stored: Bytes): Promise<Result<Bytes>>;
  /** Keyed MAC of a plaintext: equal plaintexts reuse their ciphertext without telling anyone that they are equal. */
  fingerprint(section: SectionName, plaintext: Bytes): string;
  /** Key of a tree's leaf entry in hex: who reads the tree without the key learns no names. */
  indexKey(...parts: readonly (string | Uint8Array)[]): string;
}

/**
 * Makes the cipher of one key epoch.
 *
 * @param contentKey the 32-byte zone content key
 */
export async function sectionCipher(
  zone: string,
  keyEpoch: number,
  contentKey: Bytes,
): Promise<SectionCipher> {
  const key = await crypto.subtle.importKey('raw', deriveKey(contentKey, 'section'), 'AES-GCM', false, [
    'encrypt',
    'decrypt',
  ]);
  const macKey = deriveKey(contentKey, 'mac');
  const indexKey = deriveKey(contentKey, 'index');
  const additionalData = (section: SectionName): Bytes =>
    utf8(canonicalJson(['sallyport/section/1', zone, section, keyEpoch]));
  return {
    zone,
    keyEpoch,
    async encrypt(section, plaintext, nonce) {
      const algorithm = { name: 'AES-GCM', iv: nonce, additionalData: additionalData(section) };
      return concat(nonce, new Uint8Array(await crypto.subtle.encrypt(algorithm, key, plaintext)));
    },
    async decrypt(section, stored) {
      const algorithm = {
        name: 'AES-GCM',
        iv: stored.slice(0, nonceBytes),
        additionalData: additionalData(section),
      };
      try {
        return ok(new Uint8Array(await crypto.subtle.decrypt(algorithm, key, stored.slice(nonceBytes))));
      } catch {
        return refuse('section-undecryptable', `section ${section}`);
      }
    },
    fingerprint: (section, plaintext) => toHex(hmacSha256(macKey, concat(utf8(`${section}\0`), plaintext))),
    indexKey: (...parts) => toHex(hmacSha256(indexKey, lengthPrefixed(parts))),
  };
}

/** Each part with its length in front, so that no two lists of parts give the same bytes. */
function lengthPrefixed(parts: readonly (string | Uint8Array)[]): Bytes {
  return concat(
    ...parts.flatMap((part) => {
      const bytes = typeof part === 'string' ? utf8(part) : part;
      const length = new Uint8Array(4);
      new DataView(length.buffer).setUint32(0, bytes.length);
      return [length, bytes];
    }),
  );
}
