import { mkdir, realpath } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { ok, type Result, refuse } from '@sallyport/faults';
import { pooledCalls } from './disk-calls.ts';
import { errnoOf, trySystem } from './disk-errno.ts';
import { isReserved, nativeTraversal, rootFolder, Walk } from './disk-walk.ts';

/**
 * The real folder of an account's home, made where it is missing (every missing folder with 0700).
 * Links inside the files root are followed, one that leads out of it is refused.
 *
 * @param filesRoot absolute path of the folder that holds all homes; it must exist
 * @param home path below it, as the account has it: `/partners/acme`
 * @returns the absolute path without links that `diskFileSystem` takes; `permission-denied`, `path-invalid`,
 *   `not-a-directory`, `storage-full`, `storage-failed`
 */
export function openHome(filesRoot: string, home: string): Promise<Result<string>> {
  return trySystem(async () => {
    const names = home.split('/').filter((name) => name !== '');
    if (names.some((name) => name === '.' || name === '..' || name.includes('\0') || isReserved(name))) {
      return refuse('path-invalid', 'the home is not a plain path');
    }
    if (!isAbsolute(filesRoot)) throw new TypeError('the files root must be absolute');
    const root = await realpath(filesRoot);
    let path = root;
    for (let depth = 1; depth <= names.length; depth++) {
      const entered = await enterOrMake(root, names.slice(0, depth));
      if (!entered.ok) return entered;
      path = entered.value;
    }
    return ok(path);
  });
}

/** Enters one folder, made if missing. @returns its path without links */
async function enterOrMake(root: string, names: readonly string[]): Promise<Result<string>> {
  const walked = await Walk.to(rootFolder(root, pooledCalls), names, nativeTraversal);
  if (!walked.ok) return walked;
  const walk = walked.value;
  try {
    await mkdir(walk.path, 0o700).catch((error) => {
      if (errnoOf(error) !== 'EEXIST') throw error;
    });
    for (;;) {
      try {
        const folder = await walk.enter();
        try {
          // A link of /proc to the directory itself: its target is the path without links.
          return ok(await realpath(folder.path));
        } finally {
          await folder.close();
        }
      } catch (error) {
        if (!['ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '')) throw error;
        const followed = await walk.follow();
        if (!followed.ok) return followed;
      }
    }
  } finally {
    await walk.close();
  }
}
