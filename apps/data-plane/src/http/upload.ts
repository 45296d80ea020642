import type { FaultCode } from '@sallyport/faults';
import type { WriteMode } from '@sallyport/files';
import { currentAt, preconditions, validatorsOf } from './conditions.ts';
import { type ContentRange, contentRange } from './content-range.ts';
import type { LockGuard } from './dav/lock-guard.ts';
import { type Exchange, headerValues, type Incoming } from './exchange.ts';
import { answer, cut } from './outgoing.ts';
import type { Pace } from './pace.ts';
import { sendProblem } from './problem.ts';
import { bodyOf, receive } from './receive.ts';

const expectsContinue = (incoming: Incoming): boolean =>
  /^100-continue$/i.test(incoming.headers.expect ?? '');

/** X-OC-Mtime, as sync clients send it: whole seconds since the epoch. */
function modifiedAtOf(incoming: Incoming): number | undefined {
  const [seconds] = headerValues(incoming, 'x-oc-mtime');
  return seconds !== undefined && /^\d{1,11}$/.test(seconds) ? Number(seconds) * 1_000 : undefined;
}

/** Tells the client from where to go on (see docs/http.md). */
const offsetHeader = (size: number): Record<string, string> => ({ 'Upload-Offset': String(size) });

/**
 * PUT: the file appears, whole, when the whole body is here; else what was there stays. With Content-Range it goes on
 * with an upload that was cut, and the file appears with its last byte (RFC 9110 section 14.5, design section 6).
 */
export async function upload(
  exchange: Exchange,
  form: 'plain' | 'directory',
  means: { readonly guard: LockGuard; readonly pace: Pace },
): Promise<void> {
  const { incoming, outgoing, session, path, blockSize } = exchange;
  if (form === 'directory') return sendProblem(outgoing, 'is-a-directory');
  const ranges = headerValues(incoming, 'content-range');
  const range = ranges[0] === undefined ? undefined : contentRange(ranges[0]);
  const length = incoming.headers['content-length'];
  // A part that is not understood must not be taken for the whole.
  const isPart = ranges.length > 0;
  if (isPart && (!range || ranges.length > 1 || (length !== undefined && Number(length) !== range.length))) {
    return sendProblem(outgoing, 'message-malformed');
  }

  const current = await currentAt(session.files, path);
  if (preconditions(incoming.headers, current, 'change') !== 'proceed') {
    return sendProblem(outgoing, 'precondition-failed');
  }
  const reach = current ? 'self' : 'member';
  const refusal = await means.guard.refusal(exchange, [{ path, reach }]);
  if (refusal) return sendProblem(outgoing, refusal);

  const onlyNew = incoming.headers['if-none-match']?.trim() === '*';
  const isWholeFile = !range || (range.start === 0 && range.length === range.total);
  const mode: WriteMode =
    range && range.start > 0 ? 'continue' : onlyNew || !isWholeFile ? 'create' : 'replace';
  const opened = await session.files.openWrite(path, mode);
  if (!opened.ok) return refusePut(exchange, opened.fault.code, onlyNew);
  const handle = opened.value;

  let bytes = 0;
  const report = (outcome: 'completed' | 'cut' | 'failed', reason?: string) =>
    session.report({
      direction: 'upload',
      path,
      bytes,
      outcome,
      ...(reason === undefined ? {} : { reason }),
    });
  let settled: 'open' | 'closed' = 'open';
  try {
    if (range && range.start > 0) {
      const there = await handle.attributes();
      const size = there.ok ? there.value.size : 0;
      if (size !== range.start) {
        report('failed', 'another offset');
        return answer(outgoing, 416, { 'Content-Range': `bytes */${size}`, ...offsetHeader(size) });
      }
    }
    if (expectsContinue(incoming)) outgoing.writeContinue();
    const progress = (written: number) => {
      bytes = written;
    };
    const from = { start: range?.start ?? 0, pace: means.pace };
    const received = await receive(bodyOf(incoming), handle, blockSize, progress, from);
    if (!received.ok) {
      report(received.fault.code === 'transfer-cut' ? 'cut' : 'failed', received.fault.code);
      return sendProblem(outgoing, received.fault.code, { Connection: 'close' });
    }
    // A session that was ended meanwhile leaves nothing behind, though its body came to its end.
    if (session.ended.aborted) {
      report('cut', 'transfer-cut');
      return cut(outgoing);
    }
    const meanwhile =
      handle.placement === 'staged' ? await changedMeanwhile(exchange, means.guard, reach) : undefined;
    if (meanwhile) {
      report('failed', meanwhile);
      return sendProblem(outgoing, meanwhile);
    }
    if (range && !isLastPart(range, received.value)) {
      settled = 'closed';
      await handle.abandon('keep');
      report('cut', 'more is to come');
      return answer(outgoing, 202, offsetHeader(range.start + received.value));
    }
    const modifiedAt = modifiedAtOf(incoming);
    if (modifiedAt !== undefined) await handle.setAttributes({ modifiedAt });
    const attributes = await handle.attributes();
    settled = 'closed';
    const committed = await handle.commit();
    if (!committed.ok) {
      report('failed', committed.fault.code);
      return refusePut(exchange, committed.fault.code, onlyNew);
    }
    report('completed');
    answer(outgoing, current ? 204 : 201, {
      ...(attributes.ok ? { ETag: validatorsOf(attributes.value).etag } : {}),
      ...(modifiedAt === undefined ? {} : { 'X-OC-MTime': 'accepted' }),
    });
  } finally {
    if (settled === 'open') await handle.abandon();
  }
}

/**
 * A body can take hours: what the client has seen of the file, and that nobody else has it locked, has to hold at its
 * end too. A lock of its own that ran out meanwhile is no harm.
 */
async function changedMeanwhile(
  exchange: Exchange,
  guard: LockGuard,
  reach: 'self' | 'member',
): Promise<FaultCode | undefined> {
  const { incoming, session, path } = exchange;
  if (incoming.headers['if-match'] !== undefined || incoming.headers['if-unmodified-since'] !== undefined) {
    const current = await currentAt(session.files, path);
    if (preconditions(incoming.headers, current, 'change') !== 'proceed') return 'precondition-failed';
  }
  const refusal = await guard.refusal(exchange, [{ path, reach }]);
  return refusal === 'resource-locked' ? refusal : undefined;
}

const isLastPart = (range: ContentRange, received: number): boolean =>
  received === range.length && range.start + received === range.total;

const refusePut = ({ outgoing }: Exchange, code: FaultCode, onlyNew: boolean): void =>
  sendProblem(outgoing, onlyNew && code === 'file-exists' ? 'precondition-failed' : code);
