import { currentAt, preconditions } from './conditions.ts';
import { depthOf } from './dav/destination.ts';
import { type LockGuard, lockPathOf } from './dav/lock-guard.ts';
import type { Exchange } from './exchange.ts';
import { answer, isGone } from './outgoing.ts';
import { sendProblem } from './problem.ts';
import { removeTree } from './remove-tree.ts';

/** DELETE: a file, or a directory with everything in it (RFC 4918 section 9.6). */
export async function remove(exchange: Exchange, guard: LockGuard): Promise<void> {
  const { incoming, outgoing, session, path } = exchange;
  if (incoming.headers['if-match'] !== undefined || incoming.headers['if-unmodified-since'] !== undefined) {
    const current = await currentAt(session.files, path);
    if (preconditions(incoming.headers, current, 'change') !== 'proceed') {
      return sendProblem(outgoing, 'precondition-failed');
    }
  }
  if (depthOf(incoming, 'infinity') !== 'infinity') return sendProblem(outgoing, 'message-malformed');
  const refusal = await guard.refusal(exchange, [
    { path, reach: 'tree' },
    { path, reach: 'member' },
  ]);
  if (refusal) return sendProblem(outgoing, refusal);
  const goesOn = () => !session.ended.aborted && !isGone(outgoing);
  const removed = await removeTree(session.files, path, goesOn);
  if (!removed.ok) return sendProblem(outgoing, removed.fault.code);
  await guard.table.forget(lockPathOf(session, path));
  answer(outgoing, 204);
}
