import { randomUUID } from 'node:crypto';
import { type Result, refuse } from '@sallyport/faults';
import { childOf, namesOf, parentOf, type VirtualPath } from '@sallyport/files';
import type { Exchange } from '../exchange.ts';
import { hrefOf } from '../href.ts';
import { answer, isGone } from '../outgoing.ts';
import { sendProblem } from '../problem.ts';
import { removeTree } from '../remove-tree.ts';
import { copyTree } from './copy-tree.ts';
import { depthOf, destinationOf, mayOverwrite } from './destination.ts';
import { type LockGuard, lockPathOf } from './lock-guard.ts';

const isWithin = (path: VirtualPath, above: VirtualPath): boolean => {
  const names = namesOf(path);
  return namesOf(above).every((name, index) => names[index] === name);
};

/**
 * COPY and MOVE (RFC 4918 sections 9.8, 9.9). 201 where the name was free, 204 where something was replaced; 412 where
 * it must not be.
 */
export async function copyOrMove(exchange: Exchange, guard: LockGuard, what: 'copy' | 'move'): Promise<void> {
  const { incoming, outgoing, session, path, blockSize } = exchange;
  const { files } = session;
  const destination = destinationOf(incoming);
  if (!destination.ok) return sendProblem(outgoing, destination.fault.code);
  const to = destination.value.path;
  const depth = depthOf(incoming, 'infinity');
  if (depth === undefined || depth === '1' || (what === 'move' && depth === '0')) {
    return sendProblem(outgoing, 'message-malformed');
  }
  // Onto itself, into itself, or onto what holds it.
  if (isWithin(to, path) || isWithin(path, to)) return sendProblem(outgoing, 'permission-denied');
  const found = await files.stat(path);
  if (!found.ok) return sendProblem(outgoing, found.fault.code);
  if (found.value.unfinished) return sendProblem(outgoing, 'file-not-found');

  const refusal = await guard.refusal(exchange, [
    ...(what === 'move'
      ? ([
          { path, reach: 'tree' },
          { path, reach: 'member' },
        ] as const)
      : []),
    { path: to, reach: 'tree' },
    { path: to, reach: 'member' },
  ]);
  if (refusal) return sendProblem(outgoing, refusal);

  const target = await files.lstat(to);
  const isThere = target.ok && !target.value.unfinished;
  if (isThere && !mayOverwrite(incoming)) return sendProblem(outgoing, 'precondition-failed');
  const above = await files.stat(parentOf(to));
  if (!above.ok && above.fault.code === 'file-not-found') return sendProblem(outgoing, 'not-a-directory');

  const goesOn = () => !session.ended.aborted && !isGone(outgoing);
  const copy = (existing: 'refuse' | 'replace') =>
    copyTree({ files, blockSize, depth, goesOn }, path, to, existing);
  const done = await put();
  if (!done.ok) return sendProblem(outgoing, done.fault.code);
  await guard.table.forget(lockPathOf(session, to));
  if (what === 'move') await guard.table.forget(lockPathOf(session, path));
  const form = found.value.kind === 'directory' ? 'directory' : 'plain';
  answer(outgoing, isThere ? 204 : 201, isThere ? {} : { Location: hrefOf(to, form) });

  /** What is replaced stays until what replaces it is there: a file by a rename, anything else under another name. */
  async function put(): Promise<Result<void>> {
    const isFile = found.ok && found.value.kind !== 'directory';
    if (!isThere) return what === 'move' ? files.rename(path, to, 'refuse') : copy('refuse');
    if (isFile && target.value.kind === 'file') {
      return what === 'move' ? files.rename(path, to, 'replace') : copy('replace');
    }
    const removing = target.value.kind === 'directory' ? 'rmdir' : 'delete';
    if (!files.permits(to).includes(removing)) return refuse('permission-denied');
    const aside = childOf(parentOf(to), `.replaced-${randomUUID()}`);
    if (!aside.ok) return aside;
    const cleared = await files.rename(to, aside.value, 'refuse');
    if (!cleared.ok) return cleared;
    const done = what === 'move' ? await files.rename(path, to, 'refuse') : await copy('refuse');
    if (done.ok) return removeTree(files, aside.value, () => true);
    if (what === 'copy') await removeTree(files, to, () => true);
    await files.rename(aside.value, to, 'refuse');
    return done;
  }
}
