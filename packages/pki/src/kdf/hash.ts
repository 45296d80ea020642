import { hmac as nobleHmac } from '@noble/hashes/hmac.js';
import { md5, sha1 } from '@noble/hashes/legacy.js';
import { sha224, sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import { nextTick } from '@noble/hashes/utils.js';
import { type Bytes, copyOf } from '@sallyport/bytes';

/** The hashes of password protection, old ones included: what they protect comes from elsewhere. */
export type HashName = 'md5' | 'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512';

const implementations = { md5, sha1, sha224, sha256, sha384, sha512 } as const;

/** The implementation, for libraries that are given one. */
export const hashFunction = (name: HashName): (typeof implementations)[HashName] => implementations[name];

/** Digest of a message. */
export const hash = (name: HashName, message: Uint8Array): Bytes => copyOf(implementations[name](message));

/** HMAC of a message (RFC 2104). Its key may be empty, which WebCrypto does not take. */
export const hmac = (name: HashName, key: Uint8Array, message: Uint8Array): Bytes =>
  copyOf(nobleHmac(implementations[name], key, message));

/**
 * Hashes a digest again and again, as old key derivations do. It lets others run meanwhile.
 *
 * @param times hashes in all
 */
export async function hashRepeatedly(name: HashName, message: Uint8Array, times: number): Promise<Bytes> {
  const start = implementations[name].create();
  const work = start.clone();
  const digest = hash(name, message);
  for (let i = 1; i < times; i++) {
    start._cloneInto(work as never);
    work.update(digest);
    work.digestInto(digest);
    if (i % 16_384 === 0) await nextTick();
  }
  return digest;
}
