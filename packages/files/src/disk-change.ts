import { constants, type Stats } from 'node:fs';
import { chmod, open, stat, truncate, utimes } from 'node:fs/promises';
import { ok, type Result, refuse } from '@sallyport/faults';
import { errnoOf } from './disk-errno.ts';
import { DiskFile } from './disk-file.ts';
import { isLink, type Traversal, type Walk } from './disk-walk.ts';
import type { AttributeChange } from './filesystem.ts';

/** What attributes are changed on: a file handle, or a path that leads to one inode. Times are seconds. */
export type Changeable = {
  stat(): Promise<Stats>;
  truncate(size: number): Promise<void>;
  chmod(mode: number): Promise<void>;
  utimes(accessedAt: number, modifiedAt: number): Promise<void>;
};

/** Applies a change, size first, times last so that nothing else moves them. System errors are thrown. */
export async function changeAttributes(target: Changeable, change: AttributeChange): Promise<Result<void>> {
  if (change.size !== undefined) await target.truncate(change.size);
  if (change.mode !== undefined) await target.chmod(change.mode & 0o777);
  if (change.modifiedAt !== undefined || change.accessedAt !== undefined) {
    const before = await target.stat();
    await target.utimes(
      (change.accessedAt ?? before.atimeMs) / 1_000,
      (change.modifiedAt ?? before.mtimeMs) / 1_000,
    );
  }
  return ok(undefined);
}

/** open(2) on Linux: a descriptor of the inode that needs no permission on it and reads nothing. */
const pathOnly = 0o10000000;

/**
 * Pins the last name of a walk for a change of its attributes. System errors are thrown.
 *
 * @returns the open file, which the caller closes, and what to change; `permission-denied` for what is neither
 *   file nor directory
 */
export async function openForChange(
  walk: Walk,
  traversal: Traversal,
): Promise<Result<{ file: DiskFile; target: Changeable }> | typeof isLink> {
  let file: DiskFile;
  const flags = traversal === 'descriptor' ? pathOnly : constants.O_RDONLY | constants.O_NONBLOCK;
  try {
    file = await DiskFile.open(walk.folder.calls, walk.path, flags | constants.O_NOFOLLOW);
  } catch (error) {
    if (errnoOf(error) === 'ELOOP') return isLink;
    throw error;
  }
  try {
    const stats = await file.stat();
    const verified = await walk.confirm(stats);
    if (verified.ok && (stats.isFile() || stats.isDirectory())) {
      return ok({
        file,
        target: traversal === 'descriptor' ? byDescriptor(file.fd) : byHandle(file, walk.path),
      });
    }
    await file.close();
    if (stats.isSymbolicLink()) return isLink;
    return verified.ok ? refuse('permission-denied', 'neither file nor directory') : verified;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The link in /proc leads to the inode, also where its own permissions would let nobody open it. */
function byDescriptor(fd: number): Changeable {
  const path = `/proc/self/fd/${fd}`;
  return {
    stat: () => stat(path),
    truncate: (size) => truncate(path, size),
    chmod: (mode) => chmod(path, mode),
    utimes: (accessedAt, modifiedAt) => utimes(path, accessedAt, modifiedAt),
  };
}

/** The handle is open for reading; a new size needs one for writing. */
function byHandle(file: DiskFile, path: string): Changeable {
  return {
    stat: () => file.stat(),
    chmod: (mode) => file.chmod(mode),
    utimes: (accessedAt, modifiedAt) => file.utimes(accessedAt, modifiedAt),
    async truncate(size) {
      const writable = await open(path, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      try {
        await writable.truncate(size);
      } finally {
        await writable.close();
      }
    },
  };
}
