import type { Stats } from 'node:fs';
import { rename } from 'node:fs/promises';
import { ok, type Result, refuse } from '@sallyport/faults';
import { attributesOf } from './disk-attributes.ts';
import { changeAttributes } from './disk-change.ts';
import { trySystem } from './disk-errno.ts';
import type { DiskFile } from './disk-file.ts';
import { placeNew } from './disk-place.ts';
import type { StagedFile } from './disk-staging.ts';
import type { Folder } from './disk-walk.ts';
import type { AttributeChange, FileAttributes, ReadHandle, WriteHandle } from './filesystem.ts';
import type { WrittenPrefix } from './written-prefix.ts';

const closed: Result<never> = refuse('handle-invalid', 'the handle is closed');

/** An open file with calls in flight: closing it waits for them and refuses later ones. */
class OpenFile {
  readonly file: DiskFile;
  readonly #inFlight = new Set<Promise<unknown>>();
  #open = true;

  constructor(file: DiskFile) {
    this.file = file;
  }

  /** Runs a call on the file; `handle-invalid` after `seal`. */
  use<T>(call: (file: DiskFile) => Promise<Result<T>>): Promise<Result<T>> {
    if (!this.#open) return Promise.resolve(closed);
    const running = trySystem(() => call(this.file));
    this.#inFlight.add(running);
    const done = () => this.#inFlight.delete(running);
    running.then(done, done);
    return running;
  }

  /** Refuses new calls and waits for the running ones. @returns false if it was sealed before */
  async seal(): Promise<boolean> {
    if (!this.#open) return false;
    this.#open = false;
    await Promise.allSettled(this.#inFlight);
    return true;
  }
}

const attributesIn = async (file: DiskFile): Promise<Result<FileAttributes>> =>
  ok(attributesOf(await file.stat()));

/** A handle on a regular file open for reading. */
export function readHandle(file: DiskFile): ReadHandle {
  const opened = new OpenFile(file);
  return {
    read: (into, position) => opened.use(async (open) => ok(await open.read(into, position))),
    attributes: () => opened.use(attributesIn),
    async close() {
      if (await opened.seal()) await file.close();
    },
  };
}

const writing = (opened: OpenFile, prefix?: WrittenPrefix) => ({
  async write(bytes: Uint8Array, position: number) {
    const written = await opened.use(async (file) => ok(await file.write(bytes, position)));
    if (written.ok) prefix?.add(position, position + bytes.length);
    return written;
  },
  read: (into: Uint8Array, position: number) =>
    opened.use(async (file) => ok(await file.read(into, position))),
  attributes: () => opened.use(attributesIn),
  setAttributes(change: AttributeChange) {
    if (change.size !== undefined) prefix?.truncate(change.size);
    return opened.use((file) => changeAttributes(file, change));
  },
  sync: () =>
    opened.use(async (file) => {
      await file.sync();
      return ok(undefined);
    }),
});

/** A handle whose writes go straight into the file under its name. */
export function inPlaceHandle(file: DiskFile): WriteHandle {
  const opened = new OpenFile(file);
  return {
    placement: 'in-place',
    ...writing(opened),
    async commit() {
      if (!(await opened.seal())) return closed;
      return trySystem(async () => {
        try {
          await file.sync();
        } finally {
          await file.close();
        }
        return ok(undefined);
      });
    },
    async abandon() {
      if (await opened.seal()) await file.close();
    },
  };
}

/**
 * Where a staged file goes. `new`: only if nothing has that name then; `replace-if-any`: nothing had it when the upload
 * began, and what has it at the end is replaced.
 */
export type Destination = {
  readonly folder: Folder;
  readonly name: string;
  readonly existing: 'new' | 'replace' | 'replace-if-any';
  /** What had the name when the upload began. */
  readonly before: FileIdentity | undefined;
};

/** Which file it is, whatever its names. */
export type FileIdentity = Pick<Stats, 'dev' | 'ino'>;

const sameFile = (one: FileIdentity | undefined, other: FileIdentity | undefined): boolean =>
  one?.dev === other?.dev && one?.ino === other?.ino;

/** What becomes of a staged file whose upload is cut: it waits under that name, as far as it is whole. */
export type Leftover = { readonly name: string; readonly prefix: WrittenPrefix };

/**
 * A handle on a staged file: it gets its name at `commit`, whole and durable, or never.
 *
 * @param leftover absent: nothing is kept of a cut upload
 */
export function stagedHandle(
  staged: StagedFile,
  destination: Destination,
  leftover: Leftover | undefined,
): WriteHandle {
  const opened = new OpenFile(staged.file);
  const { calls } = destination.folder;
  const target = `${destination.folder.path}/${destination.name}`;

  async function place(): Promise<Result<void>> {
    await staged.file.sync();
    const verified = await destination.folder.verify();
    if (!verified.ok) return verified;
    if (destination.existing === 'new') {
      const placed = await placeNew(calls, staged.path, target);
      if (!placed.ok) return placed;
    } else if (destination.existing === 'replace' || (await calls.lstatIfThere(target))) {
      await rename(staged.path, target);
    } else {
      await calls.rename(staged.path, target);
    }
    // Another upload of the path may have been cut meanwhile: it must not go on once this file is taken away.
    if (leftover) await staged.forget(leftover.name);
    await destination.folder.sync();
    return ok(undefined);
  }

  /** Has the name gone to another file since the upload began? Then nobody goes on with this one. */
  async function isOvertaken(): Promise<boolean> {
    return !sameFile(await calls.lstatIfThere(target), destination.before);
  }

  async function keep({ name, prefix }: Leftover): Promise<void> {
    try {
      if (await isOvertaken()) return await staged.discard();
      // Behind the first hole there may be more; whoever goes on at the size must find no hole before it.
      await staged.file.truncate(prefix.length);
    } catch {
      await staged.discard();
      return;
    }
    await staged.keep(name);
  }

  return {
    placement: 'staged',
    ...writing(opened, leftover?.prefix),
    async commit() {
      if (!(await opened.seal())) return closed;
      const result = await trySystem(place);
      await destination.folder.close();
      // All is on the disk: nobody has to wait until the descriptor is gone.
      if (result.ok) void staged.close();
      else await staged.discard();
      return result;
    },
    async abandon(whatIsThere = 'keep') {
      if (!(await opened.seal())) return;
      if (whatIsThere === 'keep' && leftover && leftover.prefix.length > 0) await keep(leftover);
      else await staged.discard();
      await destination.folder.close();
    },
  };
}
