import { ok, type Result } from '@sallyport/faults';
import { namesOf, parentOf, type VirtualPath } from '@sallyport/files';
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
  const done = await replace(exchange, to, isThere ? target.value.kind : undefined, async () =>
    what === 'move'
      ? files.rename(path, to, isThere ? 'replace' : 'refuse')
      : copyTree({ files, blockSize, depth, goesOn }, path, to),
  );
  if (!done.ok) return sendProblem(outgoing, done.fault.code);
  await guard.table.forget(lockPathOf(session, to));
  if (what === 'move') await guard.table.forget(lockPathOf(session, path));
  const form = found.value.kind === 'directory' ? 'directory' : 'plain';
  answer(outgoing, isThere ? 204 : 201, isThere ? {} : { Location: hrefOf(to, form) });

  /** What is replaced goes first, but for a file by a rename, which does both at once. */
  async function replace(
    { outgoing: client }: Exchange,
    at: VirtualPath,
    kind: string | undefined,
    put: () => Promise<Result<void>>,
  ): Promise<Result<void>> {
    const atOnce = what === 'move' && kind !== 'directory' && found.ok && found.value.kind !== 'directory';
    const removed: Result<void> =
      kind === undefined || atOnce
        ? ok(undefined)
        : await removeTree(files, at, () => !session.ended.aborted && !isGone(client));
    return removed.ok ? put() : removed;
  }
}
