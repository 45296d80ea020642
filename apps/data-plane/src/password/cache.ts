import { createHmac, randomBytes } from 'node:crypto';

const lifetimeMs = 5 * 60_000;
const capacity = 10_000;

/**
 * Remembers that a password was verified, for protocols that send it with every request (design section 6).
 * The key is a MAC under a key of this process over account, hash and password: nothing can be read back from it, and
 * another hash is another key, so a changed password is never found.
 */
export interface VerifiedPasswords {
  has(account: string, hash: string, password: string): boolean;
  add(account: string, hash: string, password: string): void;
}

export function createVerifiedPasswords(now: () => number): VerifiedPasswords {
  const macKey = randomBytes(32);
  const until = new Map<string, number>();
  const keyOf = (account: string, hash: string, password: string): string =>
    createHmac('sha256', macKey)
      .update(JSON.stringify([account, hash, password]))
      .digest('base64');
  return {
    has(account, hash, password) {
      const key = keyOf(account, hash, password);
      const end = until.get(key);
      if (end === undefined) return false;
      if (end > now()) return true;
      until.delete(key);
      return false;
    },
    add(account, hash, password) {
      const oldest = until.keys().next();
      if (until.size >= capacity && !oldest.done) until.delete(oldest.value);
      until.set(keyOf(account, hash, password), now() + lifetimeMs);
    },
  };
}
