import { ok, type Result, refuse } from '@sallyport/faults';
import type { WriteHandle } from '@sallyport/files';
import { type Incoming, isWhole } from './exchange.ts';

/** Size of a block, no larger than the body is said to be. */
function blockSizeOf(incoming: Incoming, most: number): number {
  const length = Number(incoming.headers['content-length'] ?? most);
  return Math.max(1, Math.min(most, length));
}

/**
 * Puts the body into the file in blocks, from two buffers in turn: while one is written, the other is filled.
 * The body is asked for no faster than the disk takes it.
 *
 * @param most bytes of a block
 * @param progress told how many bytes, from the start, are in the file
 * @returns bytes written; `transfer-cut` where the body did not come to its end, or what the storage refused
 */
export async function receive(
  incoming: Incoming,
  handle: WriteHandle,
  most: number,
  progress: (bytes: number) => void,
): Promise<Result<number>> {
  const blockSize = blockSizeOf(incoming, most);
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
    writing = handle.write(block, position).then((result) => {
      if (result.ok) progress(end);
      return result;
    });
    position = end;
    used = 0;
    [filling, spare] = [spare ?? Buffer.allocUnsafe(blockSize), filling];
    return ok(undefined);
  }

  try {
    // The answer still needs the connection where the storage refuses.
    for await (const chunk of incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      let rest = chunk;
      while (rest.length > 0) {
        const taken = rest.copy(filling, used);
        used += taken;
        rest = rest.subarray(taken);
        if (used < blockSize) continue;
        const flushed = await flush();
        if (!flushed.ok) return flushed;
      }
    }
  } catch {
    await writing;
    return refuse('transfer-cut', 'the connection closed within the body');
  }
  if (!isWhole(incoming)) {
    await writing;
    return refuse('transfer-cut', 'the body is not complete');
  }
  if (used > 0) await flush();
  const last = await writing;
  return last.ok ? ok(position) : last;
}
