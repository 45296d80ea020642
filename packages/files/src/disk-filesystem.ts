import * as fs from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { ok, type Result, refuse } from '@sallyport/faults';
import { attributesOf } from './disk-attributes.ts';
import { changeAttributes, openForChange } from './disk-change.ts';
import { errnoOf, trySystem } from './disk-errno.ts';
import { entriesOf, listBatch } from './disk-list.ts';
import { openForReading, openInPlace, openStaged } from './disk-open.ts';
import { move } from './disk-place.ts';
import { sweepStaging } from './disk-staging.ts';
import { type Folder, isLink, nativeTraversal, rootFolder, type Traversal, Walk } from './disk-walk.ts';
import type { FileAttributes, FileSystem, WriteMode } from './filesystem.ts';
import { namesOf, rootPath, type VirtualPath } from './path.ts';

export type DiskOptions = {
  /** Absolute path of the account's folder, without links in it: what `openHome` answered. */
  readonly home: string;
  /** `staged`: a file that is created or replaced appears whole, at `commit`. `direct`: under its name at once. */
  readonly uploadMode: 'staged' | 'direct';
  /** Permission bits that new files and folders never get; the process's own umask holds as well. Default 0o077. */
  readonly umask?: number;
  /** How directories are held on to; what the platform can do best unless a test says otherwise. */
  readonly traversal?: Traversal;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
};

const isRoot = (path: VirtualPath): boolean => path === rootPath;
const refuseRoot: Result<never> = refuse('permission-denied', 'the home itself stays');

/**
 * The files of one home on a disk. Every path is walked one component at a time below the home (see `Walk`):
 * links inside it are followed, a link that leads out of it is `permission-denied`, whoever swaps what meanwhile.
 * FIFOs, devices and sockets are listed and never opened. Unfinished uploads wait in a folder of a reserved name,
 * which no path reaches and no listing shows. Names on the disk that are not UTF-8 are not shown.
 */
export function diskFileSystem(options: DiskOptions): FileSystem {
  const { home, uploadMode, umask = 0o077, traversal = nativeTraversal, now = Date.now } = options;
  if (!isAbsolute(home)) throw new TypeError('the home must be absolute');
  let sweep: Promise<void> | undefined;

  /** Walks to a path, lets the action meet its last name, and goes through links as often as it asks. */
  function at<T>(
    path: VirtualPath,
    action: (walk: Walk) => Promise<Result<T> | typeof isLink>,
  ): Promise<Result<T>> {
    return trySystem(async () => {
      const walked = await Walk.to(home, namesOf(path), traversal);
      if (!walked.ok) return walked;
      const walk = walked.value;
      try {
        for (;;) {
          const verified = await walk.folder.verify();
          if (!verified.ok) return verified;
          const result = await action(walk);
          if (result !== isLink) return result;
          const followed = await walk.follow();
          if (!followed.ok) return followed;
        }
      } finally {
        await walk.close();
      }
    });
  }

  async function enter(walk: Walk): Promise<Folder | typeof isLink> {
    try {
      return await walk.enter();
    } catch (error) {
      if (['ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '')) return isLink;
      throw error;
    }
  }

  async function lastAttributes(walk: Walk): Promise<Result<FileAttributes>> {
    const stats = await fs.lstat(walk.path);
    const verified = await walk.folder.verify();
    return verified.ok ? ok(attributesOf(stats)) : verified;
  }

  async function stage(walk: Walk, existing: 'new' | 'replace', permissions: number) {
    sweep ??= sweepStaging(rootFolder(home), traversal, now());
    await sweep;
    return openStaged(walk, existing, permissions, { home, traversal });
  }

  async function openLast(walk: Walk, mode: WriteMode, permissions: number) {
    if (uploadMode === 'direct' || mode === 'update') return openInPlace(walk, mode, permissions);
    if (mode !== 'update-or-create') return stage(walk, mode === 'create' ? 'new' : mode, permissions);
    try {
      return await openInPlace(walk, 'update', permissions);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      // Whoever is second to create it is refused at `commit`, so that neither loses bytes.
      return stage(walk, 'new', permissions);
    }
  }

  return {
    stat: (path) =>
      at(path, async (walk) => {
        const attributes = await lastAttributes(walk);
        return attributes.ok && attributes.value.kind === 'link' ? isLink : attributes;
      }),

    lstat: (path) => at(path, lastAttributes),

    list: (path) =>
      at(path, async (walk) => {
        const folder = await enter(walk);
        if (folder === isLink) return isLink;
        try {
          const directory = await fs.opendir(folder.path, { bufferSize: listBatch });
          const entries = entriesOf(directory, folder);
          const verified = await folder.verify();
          if (verified.ok) return ok(entries);
          await directory.close();
          await folder.close();
          return verified;
        } catch (error) {
          await folder.close();
          throw error;
        }
      }),

    openRead: (path) => at(path, openForReading),

    async openWrite(path, mode, fileMode = 0o666) {
      if (isRoot(path)) return refuse('is-a-directory', 'EISDIR');
      return at(path, (walk) => openLast(walk, mode, fileMode & 0o777 & ~umask));
    },

    setAttributes: (path, change) =>
      at(path, async (walk) => {
        const opened = await openForChange(walk, traversal);
        if (opened === isLink || !opened.ok) return opened;
        const { file, target } = opened.value;
        try {
          return await changeAttributes(target, change);
        } finally {
          await file.close();
        }
      }),

    async rename(from, to, existing) {
      if (isRoot(from) || isRoot(to)) return refuseRoot;
      return at(from, (source) => at(to, (target) => move(source.path, target.path, existing)));
    },

    async removeFile(path) {
      if (isRoot(path)) return refuse('is-a-directory', 'EISDIR');
      return at(path, async (walk) => {
        // macOS answers EPERM where Linux says what it is.
        if ((await fs.lstat(walk.path)).isDirectory()) return refuse('is-a-directory', 'EISDIR');
        await fs.unlink(walk.path);
        return ok(undefined);
      });
    },

    async makeDirectory(path, fileMode = 0o777) {
      if (isRoot(path)) return refuse('file-exists', 'EEXIST');
      return at(path, async (walk) => {
        await fs.mkdir(walk.path, fileMode & 0o777 & ~umask);
        return ok(undefined);
      });
    },

    async removeDirectory(path) {
      if (isRoot(path)) return refuseRoot;
      return at(path, async (walk) => {
        await fs.rmdir(walk.path);
        return ok(undefined);
      });
    },
  };
}
