import { ok } from '@sallyport/faults';
import { type DirectoryEntry, type FileSystem, rootPath } from '@sallyport/files';
import { expect, test } from 'vitest';
import type { Session } from '../session.ts';
import { runTransfer } from './transfer.ts';

test('a directory that no data connection came for is closed', async () => {
  let open = 0;
  const files = {
    list: async () => {
      open++;
      const entries: AsyncIterableIterator<readonly DirectoryEntry[]> = {
        [Symbol.asyncIterator]: () => entries,
        next: async () => ({ done: true, value: undefined }),
        return: async () => {
          open--;
          return { done: true, value: undefined };
        },
      };
      return ok(entries);
    },
  } as Partial<FileSystem> as FileSystem;
  const answer = await runTransfer(
    {
      kind: 'list',
      format: 'LIST',
      path: rootPath,
      facts: [],
      encoding: 'utf-8',
      type: 'ascii',
      protection: 'private',
    },
    {
      session: { files } as Session,
      now: 0,
      announce: () => {},
      onProgress: () => {},
      connect: async () => ({ kind: 'failed', reason: 'no-connection' }),
    },
  );
  expect(answer.code).toBe(425);
  expect(open).toBe(0);
});
