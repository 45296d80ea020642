import { randomUUID } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { lstat, mkdir, opendir, rename, unlink } from 'node:fs/promises';
import { errnoOf } from './disk-errno.ts';
import { DiskFile } from './disk-file.ts';
import { type Folder, openFolder, stagingName, type Traversal } from './disk-walk.ts';

/** After this time without a write nobody still works on a staged file: sessions are idle for a day at most. */
const leftoverAgeMs = 25 * 3_600_000;
/** How long a cut upload waits to be continued, from its last change on. */
const partialAgeMs = 24 * 3_600_000;
/** Bound of the work that one sweep adds to an upload. */
const sweptEntries = 256;

/** A staged file, open, and the path under which it waits. */
export type StagedFile = {
  readonly file: DiskFile;
  readonly path: string;
  /** Closes it where it is: it was placed. */
  close(): Promise<void>;
  /** Removes and closes it. */
  discard(): Promise<void>;
  /** Closes it and lets it wait under a name, in place of what waited there. */
  keep(name: string): Promise<void>;
  /** Removes what waits under a name. */
  forget(name: string): Promise<void>;
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

/** Opens the staging folder, runs the action in it and closes it unless the action keeps it; nothing without a folder. */
async function inStaging<T>(
  parent: Folder,
  traversal: Traversal,
  action: (folder: Folder) => Promise<T>,
): Promise<T | undefined> {
  let folder: Folder;
  try {
    folder = await openFolder(parent, stagingName, traversal);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return await action(folder);
  } finally {
    await folder.close();
  }
}

function stagedFile(folder: Folder, file: DiskFile, path: string): StagedFile {
  const close = async () => {
    await file.close().catch(() => {});
    await folder.close();
  };
  return {
    file,
    path,
    close,
    async discard() {
      // While it has its name, closing it gives no blocks back; removing it does, and that can take its time.
      await file.close().catch(() => {});
      await unlink(path).catch(() => {});
      await folder.close();
    },
    async keep(name) {
      await rename(path, `${folder.path}/${name}`).catch(() => unlink(path).catch(() => {}));
      await close();
    },
    async forget(name) {
      const waiting = `${folder.path}/${name}`;
      if (await folder.calls.lstatIfThere(waiting).catch(() => undefined))
        await unlink(waiting).catch(() => {});
    },
  };
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
    return stagedFile(folder, await DiskFile.open(folder.calls, path, flags, mode), path);
  } catch (error) {
    await folder.close();
    throw error;
  }
}

const isPartial = (stats: Stats, now: number): boolean =>
  stats.isFile() && now - stats.ctimeMs <= partialAgeMs;

/**
 * What waits under a name in the staging folder of a directory, if it is not too old. Only looked at, so the folder is
 * not opened first. System errors are thrown.
 */
export async function findPartial(parent: Folder, name: string, now: number): Promise<Stats | undefined> {
  const stats = await parent.calls.lstatIfThere(`${parent.path}/${stagingName}/${name}`);
  return stats && isPartial(stats, now) ? stats : undefined;
}

/** Removes what waits under a name. @returns whether there was something. System errors are thrown. */
export async function removePartial(parent: Folder, traversal: Traversal, name: string): Promise<boolean> {
  const removed = await inStaging(parent, traversal, async (folder) => {
    try {
      await unlink(`${folder.path}/${name}`);
      return true;
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      return false;
    }
  });
  return removed ?? false;
}

/**
 * Takes what waits under a name, to go on with it. Of two that ask for it one gets it.
 *
 * @returns the file, open; nothing where nothing waits or it is too old. System errors are thrown.
 */
export async function claimPartial(
  parent: Folder,
  traversal: Traversal,
  name: string,
  now: number,
): Promise<StagedFile | undefined> {
  if (!(await findPartial(parent, name, now))) return undefined;
  const folder = await openStaging(parent, traversal);
  const path = `${folder.path}/${randomUUID()}`;
  try {
    await rename(`${folder.path}/${name}`, path);
    const flags = constants.O_RDWR | constants.O_NOFOLLOW;
    return stagedFile(folder, await DiskFile.open(folder.calls, path, flags), path);
  } catch (error) {
    await folder.close();
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Removes what nobody comes back for from the staging folder of a directory: files whose inode has not changed for a
 * day (ctime: no client can set it). Other processes and nodes may be writing younger ones. Never fails.
 *
 * @param now milliseconds since the epoch
 */
export async function sweepStaging(parent: Folder, traversal: Traversal, now: number): Promise<void> {
  try {
    await inStaging(parent, traversal, async (folder) => {
      let seen = 0;
      for await (const entry of await opendir(folder.path)) {
        if (++seen > sweptEntries) break;
        const path = `${folder.path}/${entry.name}`;
        const stats = await lstat(path).catch(() => undefined);
        if (stats && now - stats.ctimeMs > leftoverAgeMs) await unlink(path).catch(() => {});
      }
    });
  } catch {
    // No staging folder that we may read: nothing to sweep.
  }
}
