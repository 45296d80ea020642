import type { Result } from '@sallyport/faults';
import type { FileSystem, VirtualPath } from '@sallyport/files';
import { preconditions, validatorsOf } from './conditions.ts';
import type { Exchange } from './exchange.ts';
import { answer } from './outgoing.ts';
import { sendProblem } from './problem.ts';

/** Removes a file, a link, or an empty directory; each asks for its own permission. */
async function removeAt(files: FileSystem, path: VirtualPath): Promise<Result<void>> {
  const removed = await files.removeFile(path);
  if (removed.ok || !['is-a-directory', 'permission-denied'].includes(removed.fault.code)) return removed;
  const emptied = await files.removeDirectory(path);
  return !emptied.ok && emptied.fault.code === 'not-a-directory' ? removed : emptied;
}

/** DELETE: a file or an empty directory. */
export async function remove({ incoming, outgoing, session, path }: Exchange): Promise<void> {
  if (incoming.headers['if-match'] !== undefined || incoming.headers['if-unmodified-since'] !== undefined) {
    const before = await session.files.stat(path);
    const current = before.ok ? validatorsOf(before.value) : undefined;
    if (preconditions(incoming.headers, current, 'change') !== 'proceed') {
      return sendProblem(outgoing, 'precondition-failed');
    }
  }
  const removed = await removeAt(session.files, path);
  if (!removed.ok) return sendProblem(outgoing, removed.fault.code);
  answer(outgoing, 204);
}
