import { constants, type Stats } from 'node:fs';
import { access, type FileHandle, lstat, open, stat } from 'node:fs/promises';
import { ok, type Result, refuse } from '@sallyport/faults';
import { errnoOf } from './disk-errno.ts';
import { type Destination, inPlaceHandle, readHandle, stagedHandle } from './disk-handles.ts';
import { stageFile } from './disk-staging.ts';
import { isLink, rootFolder, type Traversal, type Walk } from './disk-walk.ts';
import type { ReadHandle, WriteHandle, WriteMode } from './filesystem.ts';

/** Never follows, never waits for the other end of a FIFO, never takes a terminal. */
const carefully = constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

/** Opens the last name of a walk if it is a regular file; anything else is refused or named a link. */
async function openRegular(
  walk: Walk,
  flags: number,
  mode?: number,
): Promise<Result<{ file: FileHandle; stats: Stats }> | typeof isLink> {
  let file: FileHandle;
  try {
    file = await open(walk.path, flags | carefully, mode);
  } catch (error) {
    if (errnoOf(error) === 'ELOOP') return isLink;
    throw error;
  }
  try {
    const stats = await file.stat();
    const verified = stats.isFile() ? await walk.confirm(stats) : refuseKind(stats);
    if (!verified.ok) {
      await file.close();
      return verified;
    }
    return ok({ file, stats });
  } catch (error) {
    await file.close();
    throw error;
  }
}

const refuseKind = (stats: Stats): Result<never> =>
  stats.isDirectory()
    ? refuse('is-a-directory', 'EISDIR')
    : refuse('permission-denied', 'neither file nor directory');

/** Opens the last name of a walk for reading. System errors are thrown. */
export async function openForReading(walk: Walk): Promise<Result<ReadHandle> | typeof isLink> {
  const opened = await openRegular(walk, constants.O_RDONLY);
  if (opened === isLink || !opened.ok) return opened;
  return ok(readHandle(opened.value.file));
}

const createFlags: Readonly<Record<WriteMode, number>> = {
  create: constants.O_CREAT | constants.O_EXCL,
  replace: constants.O_CREAT,
  update: 0,
  'update-or-create': constants.O_CREAT,
};

/** Opens the last name of a walk for writing under its name. System errors are thrown. */
export async function openInPlace(
  walk: Walk,
  mode: WriteMode,
  permissions: number,
): Promise<Result<WriteHandle> | typeof isLink> {
  const opened = await openRegular(walk, constants.O_RDWR | createFlags[mode], permissions);
  if (opened === isLink || !opened.ok) return opened;
  const { file, stats } = opened.value;
  // Not O_TRUNC: only now is it known to be a regular file inside the home.
  if (mode === 'replace' && stats.size > 0) {
    try {
      await file.truncate(0);
    } catch (error) {
      await file.close();
      throw error;
    }
  }
  return ok(inPlaceHandle(file));
}

async function lstatIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Opens a staged file that will get the last name of a walk, and takes over the walk's directory.
 * What stands against the upload now is refused now, not when its last byte is here. System errors are thrown.
 *
 * @param permissions mode of a new file; an existing one hands its mode on
 */
export async function openStaged(
  walk: Walk,
  existing: Destination['existing'],
  permissions: number,
  place: { readonly home: string; readonly traversal: Traversal },
): Promise<Result<WriteHandle> | typeof isLink> {
  const [target, folder, home] = await Promise.all([
    lstatIfThere(walk.path),
    stat(walk.folder.path),
    stat(place.home),
    access(walk.folder.path, constants.W_OK),
  ]);
  if (target && existing === 'new') return refuse('file-exists', 'EEXIST');
  if (target?.isSymbolicLink()) return isLink;
  if (target && !target.isFile()) return refuseKind(target);
  // A rename would replace a read-only file, which writing into it would not.
  if (target) await access(walk.path, constants.W_OK);

  // The rename at the end needs the staged file on the file system of its target.
  const parent = folder.dev === home.dev ? rootFolder(place.home) : walk.folder;
  const staged = await stageFile(parent, place.traversal, permissions);
  try {
    if (target) await staged.file.chmod(target.mode & 0o777);
    const name = walk.name;
    return ok(stagedHandle(staged, { folder: await walk.releaseFolder(), name, existing }));
  } catch (error) {
    await staged.discard();
    throw error;
  }
}
