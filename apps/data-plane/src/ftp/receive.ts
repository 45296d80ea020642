import type { Fault, Result } from '@sallyport/faults';
import type { WriteHandle } from '@sallyport/files';
import type { AsciiConverter } from '@sallyport/ftp';
import type { DataConnection } from './data-connection.ts';

/** Chunks are gathered into blocks of about this size: a write to the disk costs a thread's turn whatever its size. */
const blockBytes = 1 << 20;
/** Most uploads fit into so little; the first block grows when one does not. */
const firstBlockBytes = 1 << 16;
/** More than a socket hands out at once, so that the chunk that fills a block still fits into it. */
const slackBytes = 1 << 17;

/** What came over a data connection. Without a fault the stream came to its proper end. */
export type Received = {
  /** Bytes over the wire. */
  readonly bytes: number;
  readonly fault: Fault | undefined;
};

const newBlock = (): Buffer => Buffer.allocUnsafe(blockBytes + slackBytes);

const faultOf = (result: Result<void> | undefined): Fault | undefined =>
  result && !result.ok ? result.fault : undefined;

/**
 * Writes a stream into a file, filling one block while the other goes to the disk.
 * A stream that was cut is `transfer-cut`. The handle is neither committed nor abandoned.
 *
 * @param options.from where in the file the stream begins
 * @param options.onProgress is told the bytes over the wire so far
 */
export function receiveFile(
  data: DataConnection,
  file: WriteHandle,
  options: {
    readonly from: number;
    readonly convert: AsciiConverter | undefined;
    readonly onProgress: (bytes: number) => void;
  },
): Promise<Received> {
  const { socket } = data;
  const { convert, onProgress } = options;
  let bytes = 0;
  let position = options.from;
  let block: Buffer = Buffer.allocUnsafe(firstBlockBytes);
  // Most uploads fit one block.
  let spare: Buffer | undefined;
  let filled = 0;
  let writing: Promise<Result<void>> | undefined;
  let flushing: Promise<Fault | undefined> = Promise.resolve(undefined);

  function put(part: Uint8Array): void {
    if (filled + part.length > block.length) {
      const room = Math.max(blockBytes, filled + part.length) + slackBytes;
      block = Buffer.concat([block.subarray(0, filled)], room);
    }
    block.set(part, filled);
    filled += part.length;
  }

  /** Hands the block over once the one before it is written. */
  async function flush(): Promise<Fault | undefined> {
    const before = await handOver();
    if (before) return before;
    [block, spare] = [spare ?? newBlock(), block];
    filled = 0;
    return undefined;
  }

  async function handOver(): Promise<Fault | undefined> {
    const before = faultOf(await writing);
    if (before) return before;
    writing = file.write(block.subarray(0, filled), position);
    position += filled;
    return undefined;
  }

  async function finishWriting(): Promise<Fault | undefined> {
    if (convert) put(convert.end());
    // Without another block, which would be the collector's at once: small files are many.
    const fault = filled > 0 ? await handOver() : undefined;
    return fault ?? faultOf(await writing);
  }

  return new Promise((resolve, reject) => {
    const settle = (fault: Fault | undefined): void => {
      socket.off('data', onData);
      socket.off('end', onEnd);
      socket.off('close', onClose);
      resolve({ bytes, fault });
    };
    // Events, not an iterator: that would join what has gathered meanwhile into yet another copy.
    function onData(chunk: Buffer): void {
      bytes += chunk.length;
      onProgress(bytes);
      put(convert ? convert.push(chunk) : chunk);
      if (filled < blockBytes) return;
      socket.pause();
      flushing = flush();
      flushing.then((fault) => (fault ? settle(fault) : socket.resume()), reject);
    }
    function onEnd(): void {
      // It may come while a block waits to be handed over.
      flushing.then(finishWriting).then((fault) => {
        settle(fault ?? (data.endOf(bytes) === 'cut' ? { code: 'transfer-cut' } : undefined));
      }, reject);
    }
    function onClose(): void {
      // After the end of the stream a closure says nothing about it.
      if (socket.readableEnded) return;
      // What has come is written: a client may go on behind it.
      flushing.then(finishWriting).then((fault) => settle(fault ?? { code: 'transfer-cut' }), reject);
    }
    // An empty stream may have come to its end together with the handshake.
    if (socket.readableEnded) return onEnd();
    if (socket.destroyed) return settle({ code: 'transfer-cut' });
    socket.on('data', onData);
    socket.on('end', onEnd);
    socket.on('close', onClose);
    socket.resume();
  });
}
