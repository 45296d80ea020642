import { link, lstat, lutimes, readlink } from 'node:fs/promises';
import { ok, type Result, refuse } from '@sallyport/faults';
import { errnoOf } from './disk-errno.ts';
import type { AttributeChange } from './filesystem.ts';
import { parentOf, type VirtualPath, virtualPath } from './path.ts';

/** Changes a link itself: no system lets its mode be changed, and a size it has none. System errors are thrown. */
export async function changeLink(path: string, change: AttributeChange): Promise<Result<void>> {
  if (change.size !== undefined || change.mode !== undefined) {
    return refuse('operation-unsupported', 'a link has times alone');
  }
  if (change.modifiedAt !== undefined || change.accessedAt !== undefined) {
    const before = await lstat(path);
    await lutimes(
      path,
      (change.accessedAt ?? before.atimeMs) / 1_000,
      (change.modifiedAt ?? before.mtimeMs) / 1_000,
    );
  }
  return ok(undefined);
}

/** What a link says, as it stands on the disk; `invalid-request` for what is no link. */
export async function readTarget(path: string): Promise<Result<string>> {
  try {
    return ok(await readlink(path));
  } catch (error) {
    if (errnoOf(error) !== 'EINVAL') throw error;
    return refuse('invalid-request', 'EINVAL');
  }
}

/**
 * What a client may be told of a link: a target inside the home as the client would name it. Folders of the host are
 * nobody's business outside.
 *
 * @param home absolute path of the home, without links
 * @param path where the link is
 * @param target what it says
 * @returns the target, or `permission-denied` for one outside
 */
export function insideHome(home: string, path: VirtualPath, target: string): Result<string> {
  const outside = refuse('permission-denied', 'the link leads out of the home');
  if (target.startsWith('/')) {
    if (target === home) return ok('/');
    const below = target.startsWith(`${home}/`) ? target.slice(home.length) : undefined;
    const inside = below === undefined || below.split('/').includes('..') ? undefined : virtualPath(below);
    return inside?.ok ? ok(inside.value) : outside;
  }
  let depth = parentOf(path).split('/').filter(Boolean).length;
  for (const name of target.split('/')) {
    if (name === '..') depth--;
    else if (name !== '' && name !== '.') depth++;
    if (depth < 0) return outside;
  }
  return ok(target);
}

/** Gives a regular file a second name. System errors are thrown. */
export async function linkFile(existing: string, name: string): Promise<Result<void>> {
  if (!(await lstat(existing)).isFile()) return refuse('permission-denied', 'only files get a second name');
  await link(existing, name);
  return ok(undefined);
}
