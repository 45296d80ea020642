import type { Dir } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { FaultError } from '@sallyport/faults';
import { attributesOf } from './disk-attributes.ts';
import { errnoOf, refusalOf } from './disk-errno.ts';
import { type Folder, isReserved } from './disk-walk.ts';
import type { DirectoryEntry } from './filesystem.ts';

/** Entries of one batch; also what the system is asked for at once. */
export const listBatch = 128;

async function entryOf(folder: Folder, name: string): Promise<DirectoryEntry | undefined> {
  try {
    return { name, attributes: attributesOf(await lstat(`${folder.path}/${name}`)) };
  } catch (error) {
    // Removed since it was listed, or a name that is not UTF-8 and so cannot be asked for.
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * The entries of an open directory. Iterating to the end, and leaving the loop, closes it.
 * A system error in the middle is thrown as FaultError.
 */
export function entriesOf(directory: Dir, folder: Folder): AsyncIterableIterator<readonly DirectoryEntry[]> {
  let state: 'open' | 'closed' = 'open';

  async function close(): Promise<void> {
    if (state === 'closed') return;
    state = 'closed';
    await directory.close();
    await folder.close();
  }

  async function nextNames(): Promise<string[]> {
    const names: string[] = [];
    while (names.length < listBatch) {
      const entry = await directory.read();
      if (!entry) break;
      if (!isReserved(entry.name)) names.push(entry.name);
    }
    return names;
  }

  // Not a generator: its `return` before the first `next` would leave the directory open.
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      if (state === 'closed') return { done: true, value: undefined };
      try {
        const names = await nextNames();
        if (names.length === 0) {
          await close();
          return { done: true, value: undefined };
        }
        const entries = await Promise.all(names.map((name) => entryOf(folder, name)));
        return { done: false, value: entries.filter((entry) => entry !== undefined) };
      } catch (error) {
        await close();
        const refusal = refusalOf(error);
        throw refusal.ok ? error : new FaultError(refusal.fault);
      }
    },
    async return() {
      await close();
      return { done: true, value: undefined };
    },
  };
}
