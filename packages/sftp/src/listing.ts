import { FaultError, ok, type Result, refuse } from '@sallyport/faults';
import type { DirectoryEntry } from '@sallyport/files';
import type { OpenDirectory } from './handles.ts';

/** Most entries and most bytes of names in one SSH_FXP_NAME; a name comes twice, with attributes and owner. */
const maxEntries = 128;
const maxNameBytes = 8_192;

/** A reply with this many entries stays below this many bytes: names are at most 255 bytes of UTF-8 each. */
export const listingReplyBytes = 2 * maxNameBytes * 3 + maxEntries * 160;

/**
 * The next entries of an open directory, in the order of the disk.
 *
 * @returns at least one entry; none at the end of the directory; or the fault of the storage
 */
export async function nextEntries(directory: OpenDirectory): Promise<Result<readonly DirectoryEntry[]>> {
  while (directory.waiting.length === 0) {
    try {
      const batch = await directory.batches.next();
      if (batch.done) return ok([]);
      directory.waiting = batch.value;
    } catch (error) {
      if (error instanceof FaultError) return { ok: false, fault: error.fault };
      return refuse('storage-failed', 'the listing broke off');
    }
  }
  let count = 0;
  let bytes = 0;
  for (const { name } of directory.waiting) {
    bytes += name.length;
    if (count === maxEntries || (count > 0 && bytes > maxNameBytes)) break;
    count++;
  }
  const entries = directory.waiting.slice(0, count);
  directory.waiting = directory.waiting.slice(count);
  return ok(entries);
}
