import { randomUUID } from 'node:crypto';
import { ok, type Result, refuse } from '@sallyport/faults';
import { type Exchange, hasBody, headerValues } from '../exchange.ts';
import { hrefOf } from '../href.ts';
import { answer } from '../outgoing.ts';
import { sendProblem } from '../problem.ts';
import { readText } from '../small-body.ts';
import { depthOf } from './destination.ts';
import { parseIf } from './if-header.ts';
import { type LockGuard, lockPathOf } from './lock-guard.ts';
import type { Lock } from './lock-table.ts';
import { activeLock, dav } from './properties.ts';
import { multistatusHeaders } from './propfind.ts';
import { parseXml } from './xml.ts';

const maxBodyBytes = 16_384;
const maxOwnerLength = 1_000;
const usualSeconds = 600;
const mostSeconds = 3_600;

/** Timeout: the first of the times that the client would like, within our bounds (RFC 4918 section 10.7). */
export function lockSeconds(header: string | undefined): number {
  const first = (header ?? '').split(',')[0]?.trim() ?? '';
  const asked = /^Second-(\d{1,10})$/i.exec(first)?.[1];
  if (asked !== undefined) return Math.min(mostSeconds, Math.max(1, Number(asked)));
  return /^Infinite$/i.test(first) ? mostSeconds : usualSeconds;
}

function sendLock({ outgoing, path }: Exchange, status: number, lock: Lock, now: number): void {
  const body =
    '<?xml version="1.0" encoding="utf-8"?>\n<D:prop xmlns:D="DAV:"><D:lockdiscovery>' +
    `${activeLock(lock, hrefOf(path), now)}</D:lockdiscovery></D:prop>\n`;
  answer(outgoing, status, { ...multistatusHeaders, 'Lock-Token': `<${lock.token}>` }, body);
}

/** What the body says of a new lock: its owner. Shared locks there are none. */
function ownerIn(text: string): Result<string> {
  const xml = parseXml(text);
  if (!xml.ok) return xml;
  const part = (name: string) =>
    xml.value.children.find((child) => child.namespace === dav && child.name === name);
  if (xml.value.namespace !== dav || xml.value.name !== 'lockinfo') return refuse('message-malformed');
  const exclusive = part('lockscope')?.children.some(({ name }) => name === 'exclusive');
  const write = part('locktype')?.children.some(({ name }) => name === 'write');
  if (!exclusive || !write) return refuse('operation-unsupported', 'exclusive write locks alone');
  const owner = part('owner');
  const said = [owner?.text ?? '', ...(owner?.children ?? []).map(({ text: inner }) => inner)]
    .join('')
    .trim();
  return ok(said.slice(0, maxOwnerLength));
}

/** LOCK: a new lock, or with an If header and no body, more time for one (RFC 4918 section 9.10). */
export async function lock(exchange: Exchange, guard: LockGuard, now: () => number): Promise<void> {
  const { incoming, outgoing, session, path } = exchange;
  const until = now() + lockSeconds(headerValues(incoming, 'timeout')[0]) * 1_000;
  const at = lockPathOf(session, path);
  const body = hasBody(incoming) ? await readText(incoming, maxBodyBytes) : ok('');
  if (!body.ok) return sendProblem(outgoing, body.fault.code);
  if (body.value.trim() === '') {
    const tokens = (parseIf(headerValues(incoming, 'if')[0] ?? '') ?? []).flatMap(({ conditions }) =>
      conditions.map(({ value }) => value),
    );
    const held = (await guard.table.covering(at, 'self', now())).find(
      ({ token, principal }) => tokens.includes(token) && principal === session.account.id,
    );
    const refreshed = held && (await guard.table.refresh(held.token, at, until, now()));
    if (!refreshed) return sendProblem(outgoing, 'precondition-failed');
    return sendLock(exchange, 200, refreshed, now());
  }

  const depth = depthOf(incoming, 'infinity');
  if (depth === undefined || depth === '1') return sendProblem(outgoing, 'message-malformed');
  const owner = ownerIn(body.value);
  if (!owner.ok) return sendProblem(outgoing, owner.fault.code);
  const found = await session.files.stat(path);
  const isNew = !found.ok || found.value.unfinished === true;
  if (!found.ok && found.fault.code !== 'file-not-found') return sendProblem(outgoing, found.fault.code);
  // Only who may write there may keep others from it.
  const needed =
    found.ok && found.value.kind === 'directory'
      ? ['create', 'write', 'mkdir']
      : ['write', isNew ? 'create' : 'write'];
  if (!session.files.permits(path).some((operation) => needed.includes(operation))) {
    return sendProblem(outgoing, 'permission-denied');
  }
  if (isNew) {
    const refusal = await guard.refusal(exchange, [{ path, reach: 'member' }]);
    if (refusal) return sendProblem(outgoing, refusal);
  }
  const taken: Lock = {
    token: `urn:uuid:${randomUUID()}`,
    path: at,
    depth,
    principal: session.account.id,
    owner: owner.value,
    until,
  };
  switch (await guard.table.acquire(taken, now())) {
    case 'conflict':
      return sendProblem(outgoing, 'resource-locked');
    case 'full':
      return sendProblem(outgoing, 'storage-full');
    case 'acquired':
  }
  if (isNew) {
    // A lock on a name that is not there makes an empty file (RFC 4918 section 7.3).
    const opened = await session.files.openWrite(path, 'create');
    const made = opened.ok ? await opened.value.commit() : opened;
    if (!made.ok) {
      await guard.table.release(taken.token);
      return sendProblem(outgoing, made.fault.code);
    }
  }
  sendLock(exchange, isNew ? 201 : 200, taken, now());
}

/** UNLOCK by its token (RFC 4918 section 9.11). */
export async function unlock(exchange: Exchange, guard: LockGuard, now: () => number): Promise<void> {
  const { incoming, outgoing, session, path } = exchange;
  const token = /^<([^<>\s]+)>$/.exec(headerValues(incoming, 'lock-token')[0]?.trim() ?? '')?.[1];
  if (token === undefined) return sendProblem(outgoing, 'message-malformed');
  const held = (await guard.table.covering(lockPathOf(session, path), 'self', now())).find(
    (one) => one.token === token,
  );
  if (!held) return sendProblem(outgoing, 'file-exists');
  if (held.principal !== session.account.id) return sendProblem(outgoing, 'permission-denied');
  await guard.table.release(token);
  answer(outgoing, 204);
}
