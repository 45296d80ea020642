import { type Exchange, hasBody } from '../exchange.ts';
import { answer } from '../outgoing.ts';
import { sendProblem } from '../problem.ts';
import type { LockGuard } from './lock-guard.ts';

/** MKCOL (RFC 4918 section 9.3): no body, a name that is free, a directory above it that is there. */
export async function makeCollection(exchange: Exchange, guard: LockGuard): Promise<void> {
  const { incoming, outgoing, session, path } = exchange;
  if (hasBody(incoming)) return sendProblem(outgoing, 'unsupported-media-type');
  const refusal = await guard.refusal(exchange, [{ path, reach: 'member' }]);
  if (refusal) return sendProblem(outgoing, refusal);
  const made = await session.files.makeDirectory(path);
  if (made.ok) return answer(outgoing, 201);
  const { code } = made.fault;
  if (code === 'file-exists') return sendProblem(outgoing, 'method-not-allowed');
  // The directory above is missing: a conflict, not an absent resource.
  sendProblem(outgoing, code === 'file-not-found' ? 'not-a-directory' : code);
}
