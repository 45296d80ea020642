import { ok, type Result, refuse } from '@sallyport/faults';
import type { WriteHandle } from '@sallyport/files';
import { type Incoming, isWhole } from './exchange.ts';
import { type Pace, watchPace } from './pace.ts';

/** Bytes that come one after the other: the body of a request, or one file of a form. */
export type Source = {
  readonly chunks: AsyncIterable<Buffer>;
  /** How many there will be, where that is known. */
  readonly length: number | undefined;
  /** Did all of them come? Asked at the end. */
  readonly isWhole: () => boolean;
  /** Ends the wait for more. */
  readonly stop: () => void;
};

/** The body of a request. Its connection stays: the answer still needs it where the storage refuses. */
export const bodyOf = (incoming: Incoming): Source => {
  const length = incoming.headers['content-length'];
  return {
    chunks: incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>,
    length: length === undefined ? undefined : Number(length),
    isWhole: () => isWhole(incoming),
    stop: () => incoming.destroy(),
  };
};

/**
 * Puts the bytes into the file in blocks, from two buffers in turn: while one is written, the other is filled.
 * They are asked for no faster than the disk takes them.
 *
 * @param most bytes of a block
 * @param progress told how many bytes of these are in the file
 * @param how where in the file they begin, and how slowly they may come
 * @returns bytes written; `transfer-cut` where they did not come to their end, or what the storage refused
 */
export async function receive(
  source: Source,
  handle: WriteHandle,
  most: number,
  progress: (bytes: number) => void,
  how: { readonly start?: number; readonly pace?: Pace } = {},
): Promise<Result<number>> {
  const start = how.start ?? 0;
  const blockSize = Math.max(1, Math.min(most, source.length ?? most));
  let filling: Uint8Array = Buffer.allocUnsafe(blockSize);
  let spare: Uint8Array | undefined;
  let used = 0;
  let position = 0;
  let writing: Promise<Result<void>> = Promise.resolve(ok(undefined));

  /** Starts to write what is filled when the block before it is written, and turns to the other buffer. */
  async function flush(): Promise<Result<void>> {
    const previous = await writing;
    if (!previous.ok) return previous;
    const block = filling.subarray(0, used);
    const end = position + used;
    writing = handle.write(block, start + position).then((result) => {
      if (result.ok) progress(end);
      return result;
    });
    position = end;
    used = 0;
    [filling, spare] = [spare ?? Buffer.allocUnsafe(blockSize), filling];
    return ok(undefined);
  }

  const pace = watchPace(source.stop, how.pace);
  try {
    for await (const chunk of source.chunks) {
      pace.came(chunk.length);
      let rest = chunk;
      while (rest.length > 0) {
        const taken = rest.copy(filling, used);
        used += taken;
        rest = rest.subarray(taken);
        if (used < blockSize) continue;
        const flushed = await flush();
        if (!flushed.ok) return flushed;
      }
      pace.waits();
    }
  } catch {
    // What came is kept to be gone on with.
    if (used > 0) await flush();
    await writing;
    return refuse('transfer-cut', 'the connection closed within the body');
  } finally {
    pace.end();
  }
  if (used > 0) await flush();
  const last = await writing;
  if (!source.isWhole()) return refuse('transfer-cut', 'the body is not complete');
  return last.ok ? ok(position) : last;
}
