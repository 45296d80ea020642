import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Totp } from '@sallyport/model';

const hashes = { SHA1: 'sha1', SHA256: 'sha256' } as const;

/**
 * The code of one time step (RFC 6238 section 4, RFC 4226 section 5.3).
 *
 * @param step periods since the epoch
 */
export function codeAt({ secret, algorithm, digits }: Totp, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac(hashes[algorithm], Buffer.from(secret, 'base64')).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 0xf;
  const truncated = mac.readUInt32BE(offset) & 0x7fff_ffff;
  return String(truncated % 10 ** digits).padStart(digits, '0');
}

/** Steps around now whose codes are taken: clocks of telephones are a little off (RFC 6238 section 5.2). */
const tolerance = [-1, 0, 1];

/**
 * The time step that a code is of. Every step is compared, and each in constant time.
 *
 * @param code as it was typed; spaces do not count
 * @param now milliseconds since the epoch
 * @returns nothing where it is of none of the steps around now
 */
export function stepOf(totp: Totp, code: string, now: number): number | undefined {
  const typed = Buffer.from(code.slice(0, 32).replaceAll(' ', ''));
  const current = Math.floor(now / 1000 / totp.periodSeconds);
  let found: number | undefined;
  for (const offset of tolerance) {
    const expected = Buffer.from(codeAt(totp, current + offset));
    if (typed.length === expected.length && timingSafeEqual(typed, expected)) found = current + offset;
  }
  return found;
}
