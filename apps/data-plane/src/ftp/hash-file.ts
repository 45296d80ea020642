import { createHash } from 'node:crypto';
import { ok, type Result, refuse } from '@sallyport/faults';
import type { FileSystem } from '@sallyport/files';
import type { HashRequest } from '@sallyport/ftp';

/** A digest of a megabyte holds up other connections for about as long as its encryption would. */
const blockBytes = 1 << 20;
const nodeNames = { 'SHA-256': 'sha256', 'SHA-512': 'sha512' } as const;

/**
 * The digest of a file, or of a part of it, in lower case hexadecimal.
 *
 * @param signal ends the work with `transfer-cut`
 * @returns where the part ends; `invalid-request` for a part that the file does not have, and what the file system
 *   refuses
 */
export async function hashFile(
  files: FileSystem,
  { path, algorithm, from, to }: HashRequest,
  signal: AbortSignal,
): Promise<Result<{ readonly hex: string; readonly to: number }>> {
  const opened = await files.openRead(path);
  if (!opened.ok) return opened;
  const file = opened.value;
  try {
    const attributes = await file.attributes();
    if (!attributes.ok) return attributes;
    const end = to ?? attributes.value.size;
    if (from > end || end > attributes.value.size)
      return refuse('invalid-request', 'beyond the end of the file');
    const digest = createHash(nodeNames[algorithm]);
    const block = Buffer.allocUnsafe(Math.min(blockBytes, Math.max(end - from, 1)));
    let at = from;
    while (at < end) {
      if (signal.aborted) return refuse('transfer-cut');
      const read = await file.read(block.subarray(0, Math.min(block.length, end - at)), at);
      if (!read.ok) return read;
      // It was cut meanwhile.
      if (read.value === 0) return refuse('storage-failed', 'the file became shorter');
      digest.update(block.subarray(0, read.value));
      at += read.value;
    }
    return ok({ hex: digest.digest('hex'), to: end });
  } finally {
    await file.close();
  }
}
