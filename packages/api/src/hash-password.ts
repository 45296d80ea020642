import { argon2idAsync } from '@noble/hashes/argon2.js';
import { type Bytes, copyOf, utf8 } from '@sallyport/bytes';
import { argon2Parameters, formatPasswordHash } from '@sallyport/model';

/**
 * Argon2id of a password in PHC form, in JavaScript: for runtimes without a native one (about 190 ms).
 *
 * @param salt 16 random bytes
 */
export async function hashPassword(password: string, salt: Bytes): Promise<string> {
  const { memoryKiB, passes, parallelism, tagBytes } = argon2Parameters;
  const tag = await argon2idAsync(utf8(password.normalize('NFC')), salt, {
    m: memoryKiB,
    t: passes,
    p: parallelism,
    dkLen: tagBytes,
  });
  return formatPasswordHash({ memoryKiB, passes, parallelism, salt, tag: copyOf(tag) });
}
