import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, opendir, unlink } from 'node:fs/promises';
import { errnoOf } from './disk-errno.ts';
import { type Folder, openFolder, stagingName, type Traversal } from './disk-walk.ts';

/** After this time without a write nobody still works on a staged file: sessions are idle for a day at most. */
const leftoverAgeMs = 25 * 3_600_000;
/** Bound of the work that one sweep adds to an upload. */
const sweptEntries = 256;

/** A staged file, open, and the path under which it waits. */
export type StagedFile = {
  readonly file: FileHandle;
  readonly path: string;
  /** Closes it where it is: it was placed. */
  close(): Promise<void>;
  /** Removes and closes it. */
  discard(): Promise<void>;
};

/**
 * Opens the folder for unfinished uploads in a directory: a hidden folder of a reserved name on the same file
 * system, so that a rename can place the finished file. Made with 0700 where it is missing.
 */
async function openStaging(parent: Folder, traversal: Traversal): Promise<Folder> {
  try {
    return await openFolder(parent, stagingName, traversal);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
  await mkdir(`${parent.path}/${stagingName}`, 0o700).catch((error) => {
    if (errnoOf(error) !== 'EEXIST') throw error;
  });
  return openFolder(parent, stagingName, traversal);
}

/**
 * Makes an empty staged file. System errors are thrown.
 *
 * @param parent the directory that holds the staging folder
 * @param mode permission bits of the file
 */
export async function stageFile(parent: Folder, traversal: Traversal, mode: number): Promise<StagedFile> {
  const folder = await openStaging(parent, traversal);
  try {
    const path = `${folder.path}/${randomUUID()}`;
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const file = await open(path, flags, mode);
    const close = async () => {
      await file.close().catch(() => {});
      await folder.close();
    };
    const discard = async () => {
      await unlink(path).catch(() => {});
      await close();
    };
    return { file, path, close, discard };
  } catch (error) {
    await folder.close();
    throw error;
  }
}

/**
 * Removes what a crash left in the staging folder of a directory: files whose inode has not changed for a day
 * (ctime: no client can set it). Other processes and nodes may be writing younger ones. Never fails.
 *
 * @param now milliseconds since the epoch
 */
export async function sweepStaging(parent: Folder, traversal: Traversal, now: number): Promise<void> {
  let folder: Folder | undefined;
  try {
    folder = await openFolder(parent, stagingName, traversal);
    let seen = 0;
    for await (const entry of await opendir(folder.path)) {
      if (++seen > sweptEntries) break;
      const path = `${folder.path}/${entry.name}`;
      const stats = await lstat(path).catch(() => undefined);
      if (stats && now - stats.ctimeMs > leftoverAgeMs) await unlink(path).catch(() => {});
    }
  } catch {
    // No staging folder, or none that we may read: nothing to sweep.
  } finally {
    await folder?.close();
  }
}
