import type { Socket } from 'node:net';
import { type Fault, ok, type Result, refuse } from '@sallyport/faults';
import type { ReadHandle } from '@sallyport/files';
import { type AsciiConverter, encodeText, type NameEncoding } from '@sallyport/ftp';

/** Measured: two blocks of this size, one read while the other is sent, keep disk and TLS busy; more adds little. */
const blockBytes = 1 << 20;
/** After our end the peer gets this long to close, lest unread bytes of its closure reset what it has not read yet. */
const lingerMs = 10_000;

/** What went over a data connection, and how it ended. */
export type Sent = { readonly bytes: number; readonly fault: Fault | undefined };

/** Writes and waits until the bytes may be used again; `transfer-cut` where the connection is gone. */
function write(socket: Socket, bytes: Uint8Array): Promise<Result<void>> {
  return new Promise((resolve) => {
    if (socket.destroyed) return resolve(refuse('transfer-cut'));
    const closed = (): void => resolve(refuse('transfer-cut'));
    socket.once('close', closed);
    socket.write(bytes, (error) => {
      socket.off('close', closed);
      resolve(error ? refuse('transfer-cut') : ok(undefined));
    });
  });
}

/** Ends our side, waits until all is handed over, and lets the peer close. Never rejects. */
export async function finish(socket: Socket): Promise<Result<void>> {
  const ended = await new Promise<boolean>((resolve) => {
    if (socket.destroyed) return resolve(false);
    socket.once('close', () => resolve(false));
    socket.end(() => resolve(true));
  });
  if (!ended) return refuse('transfer-cut');
  if (socket.readableEnded) {
    socket.destroy();
    return ok(undefined);
  }
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(timer));
  socket.once('end', () => socket.destroy());
  socket.resume();
  return ok(undefined);
}

/** A file's last read finds its end, or what was added since it was opened. */
const lastReadBytes = 1 << 14;

/**
 * Sends a file from an offset to its end. The handle stays open.
 *
 * @param options.to the size when it was opened; no bound, but what the blocks are made to
 * @param options.onProgress is told the bytes over the wire so far
 */
export async function sendFile(
  socket: Socket,
  file: ReadHandle,
  options: {
    readonly from: number;
    readonly to: number;
    readonly convert: AsciiConverter | undefined;
    readonly onProgress: (bytes: number) => void;
  },
): Promise<Sent> {
  const { from, to, convert, onProgress } = options;
  let bytes = 0;
  let position = from;
  const expected = to - from;
  let block: Uint8Array = Buffer.allocUnsafe(Math.min(Math.max(expected, lastReadBytes), blockBytes));
  let spare: Uint8Array = Buffer.allocUnsafe(expected > blockBytes ? blockBytes : lastReadBytes);
  let reading = file.read(block, position);
  for (;;) {
    const read = await reading;
    if (!read.ok) return { bytes, fault: read.fault };
    if (read.value === 0) break;
    position += read.value;
    const filled = block.subarray(0, read.value);
    reading = file.read(spare, position);
    const out = convert ? convert.push(filled) : filled;
    const sent = await write(socket, out);
    if (!sent.ok) {
      await reading;
      return { bytes, fault: sent.fault };
    }
    bytes += out.length;
    onProgress(bytes);
    [block, spare] = [spare, block];
  }
  // Somebody has cut it meanwhile: what went out is no whole file, and must not be told as one.
  if (position < to) return { bytes, fault: { code: 'storage-failed', detail: 'the file became shorter' } };
  const ended = await finish(socket);
  return { bytes, fault: ended.ok ? undefined : ended.fault };
}

/** Sends texts, one after the other. */
export async function sendText(
  socket: Socket,
  texts: AsyncIterable<string>,
  encoding: NameEncoding,
): Promise<Sent> {
  let bytes = 0;
  for await (const text of texts) {
    const out = encodeText(text, encoding);
    const sent = await write(socket, out);
    if (!sent.ok) return { bytes, fault: sent.fault };
    bytes += out.length;
  }
  const ended = await finish(socket);
  return { bytes, fault: ended.ok ? undefined : ended.fault };
}
