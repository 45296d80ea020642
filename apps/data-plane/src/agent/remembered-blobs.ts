import type { Bytes } from '@sallyport/bytes';
import type { BlobRef } from '@sallyport/snapshot/node';
import type { SnapshotDisk } from './snapshot-disk.ts';

/**
 * Reads each blob from disk once and keeps it as long as the reader lives. The files of a snapshot go when a newer one
 * is stored; logins that began under the older still look their account up in it.
 *
 * @returns stored bytes by their reference; nothing where there are none
 */
export function rememberedBlobs(
  disk: Pick<SnapshotDisk, 'readBlob'>,
): (ref: BlobRef) => Promise<Bytes | undefined> {
  const read = new Map<string, Bytes>();
  return async (ref) => {
    const bytes = read.get(ref.digest) ?? (await disk.readBlob(ref));
    if (bytes) read.set(ref.digest, bytes);
    return bytes;
  };
}
