import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { ok } from '@sallyport/faults';
import type { WriteHandle } from '@sallyport/files';
import { expect, test } from 'vitest';
import { receiveFile } from './receive.ts';

/** A file on a disk that answers each write after a turn of the loop or more. */
function slowFile() {
  const content: Buffer[] = [];
  let length = 0;
  const file = {
    async write(bytes: Uint8Array, position: number) {
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
      expect(position).toBe(length);
      length += bytes.length;
      content.push(Buffer.from(bytes));
      return ok(undefined);
    },
  } as Partial<WriteHandle> as WriteHandle;
  return { file, content: () => Buffer.concat(content) };
}

const options = { from: 0, convert: undefined, onProgress: () => {} };

test.each([0, 1, 65_536, 65_537, 1 << 20, (1 << 20) + 1, 3 << 20, (3 << 20) + 99])(
  '%i bytes are written once each, however they come and whenever the end comes',
  async (size) => {
    const bytes = randomBytes(size);
    for (const portion of [16_384, 65_536, 100_000]) {
      const socket = new PassThrough({ highWaterMark: 1 << 23 });
      for (let at = 0; at < size; at += portion) socket.write(bytes.subarray(at, at + portion));
      socket.end();
      const { file, content } = slowFile();
      const data = { socket: socket as unknown as Socket, endOf: () => 'closed' as const };
      expect(await receiveFile(data, file, options)).toEqual({ bytes: size, fault: undefined });
      expect(content().equals(bytes)).toBe(true);
    }
  },
);

test('what came before a cut is written', async () => {
  const bytes = randomBytes((2 << 20) + 5);
  const socket = new PassThrough({ highWaterMark: 1 << 23 });
  const { file, content } = slowFile();
  const received = receiveFile({ socket: socket as unknown as Socket, endOf: () => 'cut' }, file, {
    ...options,
    onProgress: (so) => {
      if (so === bytes.length) socket.destroy();
    },
  });
  for (let at = 0; at < bytes.length; at += 50_000) socket.write(bytes.subarray(at, at + 50_000));
  expect(await received).toEqual({ bytes: bytes.length, fault: { code: 'transfer-cut' } });
  expect(content().equals(bytes)).toBe(true);
});
