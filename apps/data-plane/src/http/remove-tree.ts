import { ok, type Result, refuse } from '@sallyport/faults';
import { childOf, type FileSystem, type VirtualPath } from '@sallyport/files';

/** Directories that are open one inside the other. */
const maxDepth = 200;

/** Removes a file, a link, or an empty directory; each asks for its own permission. */
async function removeOne(files: FileSystem, path: VirtualPath): Promise<Result<void>> {
  const removed = await files.removeFile(path);
  if (removed.ok || !['is-a-directory', 'permission-denied'].includes(removed.fault.code)) return removed;
  const emptied = await files.removeDirectory(path);
  return !emptied.ok && emptied.fault.code === 'not-a-directory' ? removed : emptied;
}

/**
 * Removes what is at a path, a directory with everything in it. What one may not remove stays, and so do the
 * directories above it; the rest goes on.
 *
 * @param goesOn asked before each removal: false ends it, with what is gone by then gone
 * @returns the first refusal
 */
export async function removeTree(
  files: FileSystem,
  path: VirtualPath,
  goesOn: () => boolean,
  depth = 0,
): Promise<Result<void>> {
  if (!goesOn()) return refuse('transfer-cut');
  const removed = await removeOne(files, path);
  if (removed.ok || removed.fault.code !== 'directory-not-empty') return removed;
  if (depth >= maxDepth) return refuse('path-invalid', 'too deep');
  const listed = await files.list(path);
  if (!listed.ok) return listed;
  let first: Result<void> = ok(undefined);
  for await (const batch of listed.value) {
    for (const { name } of batch) {
      const child = childOf(path, name);
      const gone = child.ok ? await removeTree(files, child.value, goesOn, depth + 1) : child;
      if (!gone.ok && first.ok) first = gone;
    }
  }
  return first.ok ? removeOne(files, path) : first;
}
