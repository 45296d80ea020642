import { lstat, open, rename, unlink } from 'node:fs/promises';
import { ok, type Result, refuse } from '@sallyport/faults';
import type { DiskCalls } from './disk-calls.ts';
import { errnoOf, trySystem } from './disk-errno.ts';

/** Errors of `link` where the file system, or its protection of hard links, does not let us use one. */
const noHardLink = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV']);

/**
 * Gives a file the name `to` if nothing has that name, atomically: two callers never both succeed and an
 * existing file is never replaced. By a hard link (link(2) fails with EEXIST); where there are none, the name is
 * taken by an empty file first, which the rename then replaces.
 *
 * @returns nothing; `file-exists`, or what the system refused
 */
export function placeNew(calls: DiskCalls, from: string, to: string): Promise<Result<void>> {
  return trySystem(async () => {
    try {
      await calls.link(from, to);
      await calls.unlink(from);
    } catch (error) {
      if (!noHardLink.has(errnoOf(error) ?? '')) throw error;
      await reserveAndRename(from, to);
    }
    return ok(undefined);
  });
}

async function reserveAndRename(from: string, to: string): Promise<void> {
  const reservation = await open(to, 'wx', 0o600);
  await reservation.close();
  try {
    await rename(from, to);
  } catch (error) {
    await unlink(to).catch(() => {});
    throw error;
  }
}

/**
 * Renames. `refuse` holds for a file whatever happens at the same time; for a directory or a link, which cannot be
 * placed by a hard link, an empty directory that appears between the look and the rename is replaced (rename(2)).
 *
 * @returns nothing; `file-exists`, `path-invalid` for a directory moved into itself, or what the system refused
 */
export function move(
  calls: DiskCalls,
  from: string,
  to: string,
  existing: 'refuse' | 'replace',
): Promise<Result<void>> {
  return trySystem(async () => {
    if (existing === 'refuse') {
      if ((await lstat(from)).isFile()) return placeNew(calls, from, to);
      if (await exists(to)) return refuse('file-exists', 'EEXIST');
    }
    try {
      await rename(from, to);
    } catch (error) {
      if (errnoOf(error) === 'EINVAL') return refuse('path-invalid', 'a directory cannot move into itself');
      throw error;
    }
    return ok(undefined);
  });
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}
