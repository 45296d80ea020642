import { constants, type Stats } from 'node:fs';
import { ok, type Result, refuse } from '@sallyport/faults';
import { errnoOf } from './disk-errno.ts';
import { DiskFile } from './disk-file.ts';
import { type Destination, inPlaceHandle, readHandle, stagedHandle } from './disk-handles.ts';
import { claimPartial, findPartial, removePartial, type StagedFile, stageFile } from './disk-staging.ts';
import { type Folder, isLink, type Traversal, type Walk } from './disk-walk.ts';
import type { ReadHandle, WriteHandle, WriteMode } from './filesystem.ts';
import { WrittenPrefix } from './written-prefix.ts';

/** Never follows, never waits for the other end of a FIFO, never takes a terminal. */
const carefully = constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

/** Opens the last name of a walk if it is a regular file; anything else is refused or named a link. */
async function openRegular(
  walk: Walk,
  flags: number,
  mode?: number,
): Promise<Result<{ file: DiskFile; stats: Stats }> | typeof isLink> {
  let file: DiskFile;
  try {
    file = await DiskFile.open(walk.folder.calls, walk.path, flags | carefully, mode);
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
  continue: constants.O_CREAT | constants.O_EXCL,
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

/** How long a directory is taken to be what it was; what has changed meanwhile is met when the file gets its name. */
const knownForMs = 5_000;

/**
 * What was found of the directory that uploads go to: many go to the same one, one after the other. Refuses one that
 * cannot be written into.
 */
export class KnownFolders {
  #last: { readonly key: string | undefined; readonly until: number; readonly own: boolean } | undefined;

  /** The directory whose staging folder uploads into `folder` use. System errors are thrown, EACCES among them. */
  async stagingParentOf(key: string | undefined, folder: Folder, home: Folder, now: number): Promise<Folder> {
    if (key === undefined || this.#last?.key !== key || this.#last.until <= now) {
      const [parent] = await Promise.all([
        stagingParent(folder, home),
        folder.calls.access(folder.path, constants.W_OK),
      ]);
      this.#last = { key, until: now + knownForMs, own: parent === folder };
    }
    return this.#last.own ? folder : home;
  }
}

/** Where uploads are staged, and what is known of cut ones. */
export type StagingPlace = {
  readonly home: Folder;
  readonly traversal: Traversal;
  /** What was found of the directory of the last upload. */
  readonly known: KnownFolders;
  /** Path of the directory of this one, as the client names it; absent where a link led to it. */
  readonly folderKey: string | undefined;
  /** Name under which a cut upload of the path waits; absent: none is kept. */
  readonly partial: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
};

/** The directory whose staging folder an upload into `folder` uses: a rename needs both on one file system. */
export async function stagingParent(folder: Folder, home: Folder): Promise<Folder> {
  const { calls } = folder;
  const [target, root] = await Promise.all([calls.stat(folder.path), calls.stat(home.path)]);
  return target.dev === root.dev ? home : folder;
}

/**
 * Opens a staged file that will get the last name of a walk, and takes over the walk's directory.
 * What stands against the upload now is refused now, not when its last byte is here. System errors are thrown.
 *
 * @param intent `continue`: as `new`, but goes on with a cut upload of the path
 * @param permissions mode of a new file; an existing one hands its mode on
 */
export async function openStaged(
  walk: Walk,
  intent: 'new' | 'replace' | 'continue',
  permissions: number,
  place: StagingPlace,
): Promise<Result<WriteHandle> | typeof isLink> {
  const [target, parent] = await Promise.all([
    walk.folder.calls.lstatIfThere(walk.path),
    place.known.stagingParentOf(place.folderKey, walk.folder, place.home, place.now),
  ]);
  if (target && intent !== 'replace') return refuse('file-exists', 'EEXIST');
  if (target?.isSymbolicLink()) return isLink;
  if (target && !target.isFile()) return refuseKind(target);
  // A rename would replace a read-only file, which writing into it would not.
  if (target) await walk.folder.calls.access(walk.path, constants.W_OK);

  const { staged, prefix } = await openStagedFile(parent, intent, permissions, place);
  try {
    if (target) await staged.file.chmod(target.mode & 0o777);
    const name = walk.name;
    const destination: Destination = {
      folder: await walk.releaseFolder(),
      name,
      existing: intent !== 'replace' ? 'new' : target ? 'replace' : 'replace-if-any',
      before: target,
    };
    const leftover = place.partial === undefined ? undefined : { name: place.partial, prefix };
    return ok(stagedHandle(staged, destination, leftover));
  } catch (error) {
    await staged.discard();
    throw error;
  }
}

/** Goes on with a cut upload where that is wanted and one waits; else begins a new one, and no old one waits on. */
async function openStagedFile(
  parent: Folder,
  intent: 'new' | 'replace' | 'continue',
  permissions: number,
  { traversal, partial, now }: StagingPlace,
): Promise<{ staged: StagedFile; prefix: WrittenPrefix }> {
  if (partial !== undefined && intent === 'continue') {
    const staged = await claimPartial(parent, traversal, partial, now);
    if (staged) return { staged, prefix: new WrittenPrefix((await staged.file.stat()).size) };
  }
  const [staged] = await Promise.all([
    stageFile(parent, traversal, permissions),
    partial !== undefined && intent !== 'continue' ? forget(parent, traversal, partial, now) : undefined,
  ]);
  return { staged, prefix: new WrittenPrefix() };
}

async function forget(parent: Folder, traversal: Traversal, partial: string, now: number): Promise<void> {
  if (await findPartial(parent, partial, now)) await removePartial(parent, traversal, partial);
}
