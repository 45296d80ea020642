import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { ok } from '@sallyport/faults';
import type { ReadHandle } from '@sallyport/files';
import { expect, test } from 'vitest';
import { sendFile } from './send.ts';

/** A file of so many bytes. */
const fileOf = (size: number): ReadHandle =>
  ({
    read: async (into: Uint8Array, position: number) =>
      ok(Math.max(0, Math.min(into.length, size - position))),
  }) as Partial<ReadHandle> as ReadHandle;

const send = (size: number, to: number) => {
  const socket = new PassThrough();
  socket.resume();
  return sendFile(socket as unknown as Socket, fileOf(size), {
    from: 2,
    to,
    convert: undefined,
    onProgress: () => {},
  });
};

test('a file that has grown since it was opened is sent to its end', async () => {
  expect(await send(40_000, 10)).toEqual({ bytes: 39_998, fault: undefined });
});

test('one that has become shorter is not told as whole', async () => {
  expect(await send(10, 40_000)).toMatchObject({ bytes: 8, fault: { code: 'storage-failed' } });
});
