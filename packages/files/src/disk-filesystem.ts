import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import * as fs from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { ok, type Result, refuse } from '@sallyport/faults';
import { fileOperations } from '@sallyport/model';
import { attributesOf } from './disk-attributes.ts';
import { type DiskCalls, pooledCalls } from './disk-calls.ts';
import { changeAttributes, openForChange } from './disk-change.ts';
import { errnoOf, trySystem } from './disk-errno.ts';
import { changeLink, insideHome, linkFile, readTarget } from './disk-link.ts';
import { entriesOf, listBatch } from './disk-list.ts';
import { KnownFolders, openForReading, openInPlace, openStaged, stagingParent } from './disk-open.ts';
import { move } from './disk-place.ts';
import { findPartial, removePartial, sweepStaging } from './disk-staging.ts';
import { type Folder, isLink, nativeTraversal, rootFolder, type Traversal, Walk } from './disk-walk.ts';
import type { FileAttributes, FileSystem, WriteMode } from './filesystem.ts';
import { namesOf, parentOf, rootPath, type VirtualPath } from './path.ts';

export type DiskOptions = {
  /** Absolute path of the account's folder, without links in it: what `openHome` answered. */
  readonly home: string;
  /** `staged`: a file that is created or replaced appears whole, at `commit`. `direct`: under its name at once. */
  readonly uploadMode: 'staged' | 'direct';
  /** Permission bits that new files and folders never get; the process's own umask holds as well. Default 0o077. */
  readonly umask?: number;
  /** How directories are held on to; what the platform can do best unless a test says otherwise. */
  readonly traversal?: Traversal;
  /** How system calls are made; each in libuv's pool unless `diskCallsBelow` knows better. */
  readonly calls?: DiskCalls;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /**
   * Whose uploads these are: one that is cut waits for a day, and only the same account sees it or goes on with it.
   * Absent: nothing is kept.
   */
  readonly account?: string;
};

/** The name under which a cut upload waits: it tells neither the account nor the path. */
const partialName = (account: string, path: VirtualPath): string =>
  createHash('sha256').update(`${account}\0${path}`).digest('hex');

const isRoot = (path: VirtualPath): boolean => path === rootPath;
const refuseRoot: Result<never> = refuse('permission-denied', 'the home itself stays');

/**
 * The files of one home on a disk. Every path is walked one component at a time below the home (see `Walk`):
 * links inside it are followed, a link that leads out of it is `permission-denied`, whoever swaps what meanwhile.
 * FIFOs, devices and sockets are listed and never opened. Unfinished uploads wait in a folder of a reserved name,
 * which no path reaches and no listing shows. Names on the disk that are not UTF-8 are not shown.
 */
export function diskFileSystem(options: DiskOptions): FileSystem {
  const { uploadMode, umask = 0o077, traversal = nativeTraversal, now = Date.now, account } = options;
  if (!isAbsolute(options.home)) throw new TypeError('the home must be absolute');
  const home = rootFolder(options.home, options.calls ?? pooledCalls);
  const known = new KnownFolders();
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

  /** Where cut uploads wait, and under which name; nothing where none are kept. */
  const partialOf = (path: VirtualPath): string | undefined =>
    account === undefined || uploadMode === 'direct' ? undefined : partialName(account, path);

  async function lastAttributes(walk: Walk, path: VirtualPath): Promise<Result<FileAttributes>> {
    const found = await lstatOrPartial(walk, path);
    const verified = await walk.folder.verify();
    return verified.ok ? ok(found) : verified;
  }

  async function partialAt(walk: Walk, path: VirtualPath): Promise<Stats | undefined> {
    const name = partialOf(path);
    if (name === undefined) return undefined;
    return findPartial(await stagingParent(walk.folder, home), name, now()).catch(() => undefined);
  }

  async function lstatOrPartial(walk: Walk, path: VirtualPath): Promise<FileAttributes> {
    const there = await home.calls.lstatIfThere(walk.path);
    if (there) return attributesOf(there);
    const waiting = await partialAt(walk, path);
    if (waiting) return { ...attributesOf(waiting), unfinished: true };
    return attributesOf(await home.calls.lstat(walk.path));
  }

  async function stage(
    walk: Walk,
    path: VirtualPath,
    intent: 'new' | 'replace' | 'continue',
    permissions: number,
  ) {
    sweep ??= sweepStaging(home, traversal, now());
    await sweep;
    const staging = {
      known,
      folderKey: walk.isDirect ? parentOf(path) : undefined,
      partial: partialOf(path),
      now: now(),
    };
    return openStaged(walk, intent, permissions, { home, traversal, ...staging });
  }

  async function openLast(walk: Walk, path: VirtualPath, mode: WriteMode, permissions: number) {
    if (uploadMode === 'direct') return openInPlace(walk, mode, permissions);
    if (mode !== 'update' && mode !== 'update-or-create') {
      return stage(walk, path, mode === 'create' ? 'new' : mode, permissions);
    }
    try {
      return await openInPlace(walk, 'update', permissions);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      if (mode === 'update' && !(await partialAt(walk, path))) throw error;
      // Whoever is second to create it is refused at `commit`, so that neither loses bytes.
      return stage(walk, path, 'continue', permissions);
    }
  }

  async function removeLast(walk: Walk, path: VirtualPath): Promise<Result<void>> {
    try {
      // macOS answers EPERM where Linux says what it is.
      if ((await fs.lstat(walk.path)).isDirectory()) return refuse('is-a-directory', 'EISDIR');
      await fs.unlink(walk.path);
      // A cut upload that was to replace it would come back in its place.
      if (await partialAt(walk, path)) await removePartialOf(walk, path).catch(() => {});
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || !(await removePartialOf(walk, path))) throw error;
    }
    return ok(undefined);
  }

  async function removePartialOf(walk: Walk, path: VirtualPath): Promise<boolean> {
    const name = partialOf(path);
    if (name === undefined) return false;
    return removePartial(await stagingParent(walk.folder, home), traversal, name);
  }

  return {
    permits: () => fileOperations,

    stat: (path) =>
      at(path, async (walk) => {
        const attributes = await lastAttributes(walk, path);
        return attributes.ok && attributes.value.kind === 'link' ? isLink : attributes;
      }),

    lstat: (path) => at(path, (walk) => lastAttributes(walk, path)),

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
      return at(path, (walk) => openLast(walk, path, mode, fileMode & 0o777 & ~umask));
    },

    setAttributes: (path, change, links = 'follow') =>
      at(path, async (walk) => {
        const opened = await openForChange(walk, traversal);
        if (opened === isLink) return links === 'follow' ? isLink : changeLink(walk.path, change);
        if (!opened.ok) return opened;
        const { file, target } = opened.value;
        try {
          return await changeAttributes(target, change);
        } finally {
          await file.close();
        }
      }),

    readLink: (path) =>
      at(path, async (walk) => {
        const target = await readTarget(walk.path);
        if (!target.ok) return target;
        const verified = await walk.folder.verify();
        return verified.ok ? insideHome(home.path, path, target.value) : verified;
      }),

    async link(existing, name) {
      if (isRoot(existing) || isRoot(name)) return refuseRoot;
      return at(existing, (source) => at(name, (target) => linkFile(source.path, target.path)));
    },

    space: (path) =>
      at(path, async (walk) => {
        const folder = walk.folder.path;
        const { bsize, blocks, bfree, bavail, files, ffree } = await fs.statfs(folder);
        return ok({
          blockSize: bsize,
          blocks,
          freeBlocks: bfree,
          availableBlocks: bavail,
          files,
          freeFiles: ffree,
        });
      }),

    async rename(from, to, existing) {
      if (isRoot(from) || isRoot(to)) return refuseRoot;
      return at(from, (source) => at(to, (target) => move(home.calls, source.path, target.path, existing)));
    },

    async removeFile(path) {
      if (isRoot(path)) return refuse('is-a-directory', 'EISDIR');
      return at(path, (walk) => removeLast(walk, path));
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
