import { closeSync, constants, type Stats } from 'node:fs';
import { readlink, realpath } from 'node:fs/promises';
import { ok, type Result, refuse } from '@sallyport/faults';
import type { DiskCalls } from './disk-calls.ts';
import { errnoOf } from './disk-errno.ts';

/** Name of the folder that holds unfinished uploads; no client path may go through it and no listing shows it. */
export const stagingName = '.sallyport-staging';

/**
 * As file systems compare names that fold case: compatibility forms (U+017F is an s to them) are one, and HFS+ leaves
 * out characters that cannot be seen. None of that opens a second way in.
 */
export const isReserved = (name: string): boolean =>
  name
    .normalize('NFKC')
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .toLowerCase() === stagingName;

/** What an action on the last name of a walk answers when that is a link and wants following. */
export const isLink = 'link';

/** As Linux: more links than this on one path are a loop. */
const maxLinks = 40;

/**
 * How a walk holds on to the directories it went through.
 * `descriptor` (Linux): each is open, and the next name is looked up below `/proc/self/fd/<n>`, which is `openat`:
 * nothing that others rename or replace meanwhile changes where the walk is.
 * `path` (elsewhere): each is a path without links, verified again after it was used, which leaves a race against
 * whoever can replace directories in the home by links at the right moment; no client of ours can make links.
 */
export type Traversal = 'descriptor' | 'path';

export const nativeTraversal: Traversal = process.platform === 'linux' ? 'descriptor' : 'path';

const directoryFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** A directory that a walk has verified. `path` leads to it, without a link, until it is closed. */
export type Folder = {
  readonly path: string;
  /** How calls on what is in it are made. */
  readonly calls: DiskCalls;
  /** Is it still where it was? Free of cost and always true for an open descriptor. */
  verify(): Promise<Result<void>>;
  /** Makes its entries durable. */
  sync(): Promise<void>;
  close(): Promise<void>;
};

/** A directory known by its path alone: the home itself, and every directory of a `path` traversal. */
function pathFolder(path: string, calls: DiskCalls, check: 'trusted' | 'verified'): Folder {
  return {
    path,
    calls,
    verify: async () =>
      check === 'trusted' || (await realpath(path)) === path
        ? ok(undefined)
        : refuse('permission-denied', 'a directory of the path was replaced'),
    async sync() {
      const fd = await calls.open(path, directoryFlags);
      try {
        await calls.fsync(fd);
      } finally {
        await calls.close(fd);
      }
    },
    close: async () => {},
  };
}

/** The home itself: where it lies is the operator's word, so there is nothing to verify. */
export const rootFolder = (root: string, calls: DiskCalls): Folder => pathFolder(root, calls, 'trusted');

/** Opens one directory in another; throws the system's error, ENOTDIR also for a link. */
export async function openFolder(parent: Folder, name: string, traversal: Traversal): Promise<Folder> {
  const { calls } = parent;
  const path = `${parent.path}/${name}`;
  const fd = await calls.open(path, directoryFlags);
  if (traversal === 'path') {
    await calls.close(fd);
    return pathFolder(path, calls, 'verified');
  }
  return {
    path: `/proc/self/fd/${fd}`,
    calls,
    verify: async () => ok(undefined),
    sync: () => calls.fsync(fd),
    // A directory that was read has nothing to write back: not worth a turn of the thread pool.
    close: async () => closeSync(fd),
  };
}

/** The names of a link's target; `.` and empty names fall out, `..` stays. */
const targetNames = (target: string): string[] =>
  target.split('/').filter((name) => name !== '' && name !== '.');

/**
 * One walk from the root to the directory that holds the last name of a path, one component at a time.
 * No component is followed by the kernel: a link is read, and its target is walked in the same way, so it
 * cannot leave the root. A link that points outside is `permission-denied`.
 */
export class Walk {
  readonly #root: Folder;
  readonly #traversal: Traversal;
  readonly #folders: Folder[];
  readonly #pending: string[];
  #links = 0;

  private constructor(root: Folder, names: readonly string[], traversal: Traversal) {
    this.#root = root;
    this.#traversal = traversal;
    this.#folders = [root];
    this.#pending = [...names];
  }

  /**
   * Walks to the parent of the last name.
   *
   * @param root the root, as `rootFolder` knows it
   * @param names the names below it
   * @returns the walk, which the caller closes; `file-not-found`, `not-a-directory`, `permission-denied`,
   *   `path-invalid` for the reserved name. Other system errors are thrown.
   */
  static async to(root: Folder, names: readonly string[], traversal: Traversal): Promise<Result<Walk>> {
    const walk = new Walk(root, names, traversal);
    return (await walk.#settle(() => walk.#descend())) ?? ok(walk);
  }

  /** The verified directory that holds `name`. */
  get folder(): Folder {
    return this.#folders.at(-1) as Folder;
  }

  /** Was no link on the way, nor at its end as far as is known? */
  get isDirect(): boolean {
    return this.#links === 0;
  }

  /** The last name; `.` where the path ended at a directory already open, such as the root. */
  get name(): string {
    return this.#pending[0] ?? '.';
  }

  /**
   * Asked after the last name was opened: is that file the one in the verified directory?
   * A descriptor answers at once. Paths can be swapped between any two looks: this narrows the race on platforms
   * without `/proc`, it cannot close it.
   */
  async confirm(opened: Pick<Stats, 'dev' | 'ino'>): Promise<Result<void>> {
    if (this.#traversal === 'descriptor') return ok(undefined);
    const before = await this.folder.verify();
    if (!before.ok) return before;
    const there = await this.folder.calls.lstat(this.path);
    if (there.dev !== opened.dev || there.ino !== opened.ino) {
      return refuse('permission-denied', 'the file was replaced while it was opened');
    }
    return this.folder.verify();
  }

  /** Path of the last name, for a system call that does not follow a link in its last component. */
  get path(): string {
    return `${this.folder.path}/${this.name}`;
  }

  /**
   * The last name turned out to be a link: goes on to what it points at. On a refusal the walk is closed.
   */
  async follow(): Promise<Result<void>> {
    const fault = await this.#settle(async () => {
      const name = this.#pending.shift();
      if (name === undefined) return refuse('storage-failed', 'a directory turned into a link');
      return (await this.#takeLink(name)) ?? (await this.#descend());
    });
    return fault ?? ok(undefined);
  }

  /** Hands the directory over; the caller closes it, the walk closes the others. */
  async releaseFolder(): Promise<Folder> {
    const folder = this.#folders.pop() as Folder;
    await this.close();
    return folder;
  }

  /** Opens the last name as a directory and hands it over; the walk is closed. */
  async enter(): Promise<Folder> {
    if (this.#pending.length === 0) return this.releaseFolder();
    const folder = await openFolder(this.folder, this.name, this.#traversal);
    await this.close();
    return folder;
  }

  /** Closes what the walk holds open. */
  async close(): Promise<void> {
    for (const folder of this.#folders.splice(0)) await folder.close();
  }

  async #settle(step: () => Promise<Result<never> | undefined>): Promise<Result<never> | undefined> {
    try {
      const fault = await step();
      if (fault) await this.close();
      return fault;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Opens directories until one name is left, or none. */
  async #descend(): Promise<Result<never> | undefined> {
    for (;;) {
      const name = this.#pending[0];
      if (name === undefined) return undefined;
      if (isReserved(name)) return refuse('path-invalid', 'a reserved name');
      if (name === '..') {
        this.#pending.shift();
        if (this.#folders.length === 1) return refuse('permission-denied', 'a link leads out of the home');
        await this.#folders.pop()?.close();
        continue;
      }
      if (this.#pending.length === 1) return undefined;
      this.#pending.shift();
      const fault = await this.#open(name);
      if (fault) return fault;
    }
  }

  async #open(name: string): Promise<Result<never> | undefined> {
    try {
      this.#folders.push(await openFolder(this.folder, name, this.#traversal));
      return undefined;
    } catch (error) {
      // Linux answers ENOTDIR for a link here, macOS ELOOP; a plain file is ENOTDIR on both.
      if (!['ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '')) throw error;
      return this.#takeLink(name);
    }
  }

  /** Puts the target of the link before the names still to go. */
  async #takeLink(name: string): Promise<Result<never> | undefined> {
    if (++this.#links > maxLinks) return refuse('permission-denied', 'too many links');
    let target: string;
    try {
      target = await readlink(`${this.folder.path}/${name}`);
    } catch (error) {
      if (errnoOf(error) === 'EINVAL') return refuse('not-a-directory', 'ENOTDIR');
      throw error;
    }
    const names = targetNames(target);
    if (target.startsWith('/')) {
      const rootNames = targetNames(this.#root.path);
      if (!rootNames.every((rootName, index) => names[index] === rootName)) {
        return refuse('permission-denied', 'a link leads out of the home');
      }
      names.splice(0, rootNames.length);
      for (const folder of this.#folders.splice(1)) await folder.close();
    }
    this.#pending.unshift(...names);
    return undefined;
  }
}
