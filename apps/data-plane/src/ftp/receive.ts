import { type Fault, type Result, refuse } from '@sallyport/faults';
import type { WriteHandle } from '@sallyport/files';
import type { AsciiConverter } from '@sallyport/ftp';
import type { DataConnection } from './data-connection.ts';

/** Chunks are gathered into blocks of this size: a write to the disk costs a thread's turn whatever its size. */
const blockBytes = 1 << 20;

/** What came over a data connection. Without a fault the stream came to its proper end. */
export type Received = {
  /** Bytes over the wire. */
  readonly bytes: number;
  readonly fault: Fault | undefined;
};

/**
 * Writes a stream into a file, from its start, filling one block while the other goes to the disk.
 * The handle is neither committed nor abandoned.
 * A stream that was cut is `transfer-cut`.
 */
export async function receiveFile(
  data: DataConnection,
  file: WriteHandle,
  convert: AsciiConverter | undefined,
): Promise<Received> {
  let bytes = 0;
  let position = 0;
  let block = Buffer.allocUnsafe(blockBytes);
  // Most uploads fit one block.
  let spare: Buffer<ArrayBuffer> | undefined;
  let filled = 0;
  let writing: Promise<Result<void>> | undefined;

  /** Hands the block over as soon as the one before it is written. */
  async function flush(): Promise<Result<void> | undefined> {
    const before = await writing;
    if (before && !before.ok) return before;
    const full = block.subarray(0, filled);
    writing = file.write(full, position);
    position += filled;
    [block, spare] = [spare ?? Buffer.allocUnsafe(blockBytes), block];
    filled = 0;
    return undefined;
  }

  async function gather(part: Uint8Array): Promise<Result<void> | undefined> {
    for (let at = 0; at < part.length; ) {
      const step = Math.min(part.length - at, blockBytes - filled);
      block.set(part.subarray(at, at + step), filled);
      filled += step;
      at += step;
      if (filled < blockBytes) continue;
      const failed = await flush();
      if (failed) return failed;
    }
    return undefined;
  }

  async function settle(): Promise<Result<void> | undefined> {
    const rest = convert ? await gather(convert.end()) : undefined;
    return rest ?? (filled > 0 ? await flush() : undefined) ?? (await writing);
  }

  const failure = (result: Result<void> | undefined): Fault | undefined =>
    result && !result.ok ? result.fault : undefined;

  try {
    // Destroyed at its end, the socket would take our own closure alert with it.
    for await (const chunk of data.socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      const fault = failure(await gather(convert ? convert.push(chunk) : chunk));
      if (fault) return { bytes, fault };
    }
  } catch {
    await writing;
    return { bytes, fault: { code: 'transfer-cut' } };
  }
  const fault = failure(await settle());
  if (fault) return { bytes, fault };
  return data.endOf(bytes) === 'cut'
    ? { bytes, fault: failure(refuse('transfer-cut', 'no closure alert')) }
    : { bytes, fault: undefined };
}
