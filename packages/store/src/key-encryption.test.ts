import { type Bytes, utf8 } from '@sallyport/bytes';
import { FaultError } from '@sallyport/faults';
import { expect, test } from 'vitest';
import { keyEncryption } from './key-encryption.ts';

const randomBytes = (length: number): Bytes => crypto.getRandomValues(new Uint8Array(length));
const secret = utf8('a private key');

test('what was wrapped comes out again, and never looks the same twice', async () => {
  const keys = await keyEncryption(randomBytes(32), randomBytes);
  const wrapped = [await keys.wrap('certificate:a', secret), await keys.wrap('certificate:a', secret)];
  expect(new Set(wrapped).size).toBe(2);
  for (const text of wrapped) {
    expect(text).toMatch(/^k1\.[0-9a-f]{8}\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]+$/);
    expect(await keys.unwrap('certificate:a', text)).toEqual(secret);
  }
});

test('another purpose, another key, a damaged text: each says what is wrong, and no secret', async () => {
  const keys = await keyEncryption(randomBytes(32), randomBytes);
  const other = await keyEncryption(randomBytes(32), randomBytes);
  const wrapped = await keys.wrap('certificate:a', secret);
  const last = wrapped.at(-1) === 'A' ? 'B' : 'A';
  const refusals: [() => Promise<unknown>, RegExp][] = [
    [() => keys.unwrap('certificate:b', wrapped), /^certificate:b: does not decrypt$/],
    [
      () => other.unwrap('certificate:a', wrapped),
      /^certificate:a: wrapped under key [0-9a-f]{8}, this is [0-9a-f]{8}$/,
    ],
    [() => keys.unwrap('certificate:a', `${wrapped.slice(0, -8)}${last.repeat(8)}`), /does not decrypt$/],
    [() => keys.unwrap('certificate:a', 'k1.x'), /not a wrapped secret$/],
    [() => keys.unwrap('certificate:a', `k2${wrapped.slice(2)}`), /not a wrapped secret$/],
  ];
  for (const [refused, detail] of refusals) {
    const error = await refused().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(FaultError);
    expect((error as FaultError).fault).toEqual({ code: 'internal', detail: expect.stringMatching(detail) });
  }
});

test('a key of another size is refused at once', async () => {
  await expect(keyEncryption(randomBytes(16), randomBytes)).rejects.toThrow('32 bytes');
});
