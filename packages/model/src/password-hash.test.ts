import { describe, expect, it, test } from 'vitest';
import { argon2Parameters, formatPasswordHash, parsePasswordHash } from './password-hash.ts';

const salt = Uint8Array.from({ length: 16 }, (_, at) => at * 16);
const tag = Uint8Array.from({ length: 32 }, (_, at) => 255 - at);
const { memoryKiB, passes, parallelism } = argon2Parameters;
const hash = { memoryKiB, passes, parallelism, salt, tag };

describe('a password hash', () => {
  it('comes back from its text', () => {
    const text = formatPasswordHash(hash);
    expect(text).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(parsePasswordHash(text)).toEqual(hash);
  });

  it('is read as the reference implementation writes it', () => {
    // argon2 -id of `password`, salt `somesalt`: the tag's digits do not matter here, its form does.
    const text = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
    expect(parsePasswordHash(text)).toMatchObject({ memoryKiB: 65_536, passes: 2, parallelism: 1 });
    expect(new TextDecoder().decode(parsePasswordHash(text)?.salt)).toBe('somesalt');
  });

  const body = 'AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
  test.each([
    ['nothing', ''],
    ['another kind', `$argon2i$v=19$m=19456,t=2,p=1$${body}`],
    ['another version', `$argon2id$v=16$m=19456,t=2,p=1$${body}`],
    ['bcrypt', '$2b$10$abcdefghijklmnopqrstuv'],
    ['more memory than a node spends', `$argon2id$v=19$m=262145,t=2,p=1$${body}`],
    ['more passes than a node spends', `$argon2id$v=19$m=19456,t=11,p=1$${body}`],
    ['no pass', `$argon2id$v=19$m=19456,t=0,p=1$${body}`],
    ['no lane', `$argon2id$v=19$m=19456,t=2,p=0$${body}`],
    ['more lanes than a node has', `$argon2id$v=19$m=19456,t=2,p=99$${body}`],
    ['less memory than its lanes need', `$argon2id$v=19$m=7,t=2,p=1$${body}`],
    ['a number of many digits', `$argon2id$v=19$m=99999999999,t=2,p=1$${body}`],
    ['padding', `$argon2id$v=19$m=19456,t=2,p=1$${body}=`],
    ['a salt of no length', '$argon2id$v=19$m=19456,t=2,p=1$$AAAA'],
    [
      'a length that base64 does not have',
      `$argon2id$v=19$m=19456,t=2,p=1$${'A'.repeat(21)}$${'A'.repeat(43)}`,
    ],
    ['a line after it', `$argon2id$v=19$m=19456,t=2,p=1$${body}\n`],
  ])('is not read from %s', (_what, text) => {
    expect(parsePasswordHash(text)).toBeUndefined();
  });
});
