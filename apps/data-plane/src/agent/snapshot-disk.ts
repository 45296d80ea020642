import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type Bytes, copyOf } from '@sallyport/bytes';
import type { BlobRef } from '@sallyport/snapshot/node';
import { z } from 'zod';
import { readIfThere, writeAtomic } from '../atomic-file.ts';
import type { DenyListDisk } from './deny-list.ts';
import type { NodePaths } from './identity.ts';

/** The signed documents of the applied snapshot: written together, so that a crash never leaves a mixed pair. */
export const currentFile = z.strictObject({
  manifest: z.string(),
  timestamp: z.string(),
  /** Highest `issuedAt` of any timestamp seen, in milliseconds. */
  highestIssuedAt: z.number(),
});
export type CurrentFile = z.infer<typeof currentFile>;

/** The node's copy of its snapshot. Only verified bytes are given to it; what it reads is verified again. */
export interface SnapshotDisk extends DenyListDisk {
  readRoot(): Promise<string | undefined>;
  writeRoot(envelope: string): Promise<void>;
  /** Nothing where there is none or where it does not parse: the node then starts from the control plane. */
  readCurrent(): Promise<CurrentFile | undefined>;
  writeCurrent(current: CurrentFile): Promise<void>;
  readBlob(ref: BlobRef): Promise<Bytes | undefined>;
  writeBlob(ref: BlobRef, bytes: Bytes): Promise<void>;
  /** Removes blobs that are not in use any more. */
  keepOnly(digests: ReadonlySet<string>): Promise<void>;
}

export function snapshotDisk(paths: NodePaths): SnapshotDisk {
  const text = async (path: string) => (await readIfThere(path))?.toString('utf8');
  return {
    readRoot: () => text(paths.root),
    writeRoot: (envelope) => writeAtomic(paths.root, envelope),
    async readCurrent() {
      const content = await text(paths.current);
      if (content === undefined) return undefined;
      try {
        const parsed = currentFile.safeParse(JSON.parse(content));
        return parsed.success ? parsed.data : undefined;
      } catch {
        return undefined;
      }
    },
    writeCurrent: (current) => writeAtomic(paths.current, JSON.stringify(current)),
    readDenyList: () => text(paths.denyList),
    writeDenyList: (envelope) => writeAtomic(paths.denyList, envelope),
    async readBlob(ref) {
      const bytes = await readIfThere(join(paths.blobs, ref.digest));
      return bytes && copyOf(bytes);
    },
    writeBlob: (ref, bytes) => writeAtomic(join(paths.blobs, ref.digest), bytes),
    async keepOnly(digests) {
      for (const name of await readdir(paths.blobs)) {
        if (!digests.has(name)) await unlink(join(paths.blobs, name)).catch(() => undefined);
      }
    },
  };
}
