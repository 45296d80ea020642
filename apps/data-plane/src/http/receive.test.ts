import { Readable } from 'node:stream';
import { ok, refuse } from '@sallyport/faults';
import type { WriteHandle } from '@sallyport/files';
import { describe, expect, it } from 'vitest';
import { receive, type Source } from './receive.ts';

/** A body in these chunks. */
function bodyOf(chunks: readonly string[], length?: number): Source & { readonly stream: Readable } {
  const stream = Readable.from(
    chunks.map((chunk) => Buffer.from(chunk)),
    { objectMode: false },
  );
  return { stream, chunks: stream, length, isWhole: () => true, stop: () => stream.destroy() };
}

/** Takes writes into memory, and refuses from a position on. */
function memoryHandle(full = Number.POSITIVE_INFINITY) {
  const bytes: number[] = [];
  const sizes: number[] = [];
  const handle = {
    async write(block: Uint8Array, position: number) {
      await new Promise(setImmediate);
      if (position + block.length > full) return refuse('storage-full');
      block.forEach((byte, index) => {
        bytes[position + index] = byte;
      });
      sizes.push(block.length);
      return ok(undefined);
    },
  } as unknown as WriteHandle;
  return { handle, sizes, text: () => Buffer.from(bytes).toString() };
}

describe('receive', () => {
  it.each([
    [['abcdefghij'], undefined, [4, 4, 2]],
    [['a', 'bc', 'defghij'], undefined, [4, 4, 2]],
    [['abcd', 'efgh'], undefined, [4, 4]],
    [['abc'], 3, [3]],
    [[], undefined, []],
    [[], 0, []],
  ])('writes %j in whole blocks', async (chunks, length, sizes) => {
    const memory = memoryHandle();
    const progress: number[] = [];
    const text = chunks.join('');
    expect(await receive(bodyOf(chunks, length), memory.handle, 4, (bytes) => progress.push(bytes))).toEqual(
      ok(text.length),
    );
    expect(memory.text()).toBe(text);
    expect(memory.sizes).toEqual(sizes);
    expect(progress.at(-1) ?? 0).toBe(text.length);
  });

  it('says what the storage refused, in the middle and at the end', async () => {
    for (const full of [4, 9]) {
      const body = bodyOf(['abcdefghij']);
      expect(await receive(body, memoryHandle(full).handle, 4, () => {})).toMatchObject({
        ok: false,
        fault: { code: 'storage-full' },
      });
      body.stream.destroy();
    }
  });

  it('takes no incomplete body for a whole one', async () => {
    const cut = { ok: false, fault: { code: 'transfer-cut' } };
    const incomplete = { ...bodyOf(['abc']), isWhole: () => false };
    expect(await receive(incomplete, memoryHandle().handle, 4, () => {})).toMatchObject(cut);
    const broken = bodyOf(['abcdef', 'gh']);
    const result = receive(broken, memoryHandle().handle, 4, () => {});
    broken.stream.destroy(new Error('aborted'));
    expect(await result).toMatchObject(cut);
  });
});
