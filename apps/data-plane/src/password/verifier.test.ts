import { argon2Sync, randomBytes } from 'node:crypto';
import { argon2Parameters, formatPasswordHash } from '@sallyport/model';
import { expect, test } from 'vitest';
import { createPasswordVerifier } from './verifier.ts';

function hashOf(password: string): string {
  const { memoryKiB, passes, parallelism, tagBytes } = argon2Parameters;
  const salt = new Uint8Array(randomBytes(16));
  const tag = argon2Sync('argon2id', {
    message: password,
    nonce: salt,
    memory: memoryKiB,
    passes,
    parallelism,
    tagLength: tagBytes,
  });
  return formatPasswordHash({ memoryKiB, passes, parallelism, salt, tag: new Uint8Array(tag) });
}

test('verifies, refuses, and has a bounded share of the queue for each source', async () => {
  const verifier = createPasswordVerifier({ threads: 1, queue: 8, perSource: 2 });
  try {
    const hash = hashOf('right');
    expect(await verifier.verify(hash, 'right', '192.0.2.1')).toBe('verified');
    expect(await verifier.verify(hash, 'wrong', '192.0.2.1')).toBe('wrong');
    expect(await verifier.verify(undefined, 'right', '192.0.2.1')).toBe('wrong');
    expect(await verifier.verify('no hash', 'right', '192.0.2.1')).toBe('wrong');

    // Addresses of one IPv6 network are one source.
    const flood = ['1', '2', '3', '4'].map((host) => verifier.verify(hash, 'wrong', `2001:db8::${host}`));
    const other = verifier.verify(hash, 'right', '2001:db8:0:1::1');
    expect(await Promise.all(flood)).toEqual(['wrong', 'wrong', 'busy', 'busy']);
    expect(await other).toBe('verified');
  } finally {
    await verifier.close();
  }
});

test('a source with much to verify does not make the others wait for all of it', async () => {
  const verifier = createPasswordVerifier({ threads: 1, queue: 100, perSource: 16 });
  try {
    const order: string[] = [];
    const ask = (source: string) => verifier.verify(undefined, 'x', source).then(() => order.push(source));
    await Promise.all([...Array.from({ length: 10 }, () => ask('192.0.2.1')), ask('192.0.2.2')]);
    expect(order.indexOf('192.0.2.2')).toBeLessThan(3);
  } finally {
    await verifier.close();
  }
});
