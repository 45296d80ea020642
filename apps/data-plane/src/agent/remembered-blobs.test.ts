import { sha256Hex, utf8 } from '@sallyport/bytes';
import { expect, test } from 'vitest';
import { rememberedBlobs } from './remembered-blobs.ts';

test('a blob that was read is there when its file has gone, and one that was not there may come', async () => {
  const files = new Map<string, ReturnType<typeof utf8>>();
  const bytes = utf8('stored');
  const ref = { digest: sha256Hex(bytes), size: bytes.length };
  const read = rememberedBlobs({ readBlob: async ({ digest }) => files.get(digest) });
  expect(await read(ref)).toBe(undefined);
  files.set(ref.digest, bytes);
  expect(await read(ref)).toEqual(bytes);
  files.clear();
  expect(await read(ref)).toEqual(bytes);
});
