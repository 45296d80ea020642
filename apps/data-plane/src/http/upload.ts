import type { FaultCode } from '@sallyport/faults';
import { preconditions, validatorsOf } from './conditions.ts';
import type { Exchange, Incoming } from './exchange.ts';
import { answer } from './outgoing.ts';
import { sendProblem } from './problem.ts';
import { receive } from './receive.ts';

const expectsContinue = (incoming: Incoming): boolean =>
  /^100-continue$/i.test(incoming.headers.expect ?? '');

/** PUT: the file appears, whole, when the whole body is here; else what was there stays. */
export async function upload(exchange: Exchange, form: 'plain' | 'directory'): Promise<void> {
  const { incoming, outgoing, session, path, blockSize } = exchange;
  if (form === 'directory') return sendProblem(outgoing, 'is-a-directory');
  // RFC 9110 section 14.5: a server that does not take partial PUT must not take it for a whole one.
  if (incoming.headers['content-range'] !== undefined) return sendProblem(outgoing, 'message-malformed');

  const before = await session.files.stat(path);
  const current = before.ok ? validatorsOf(before.value) : undefined;
  if (preconditions(incoming.headers, current, 'change') !== 'proceed') {
    return sendProblem(outgoing, 'precondition-failed');
  }
  const onlyNew = incoming.headers['if-none-match']?.trim() === '*';
  const opened = await session.files.openWrite(path, onlyNew ? 'create' : 'replace');
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
    if (expectsContinue(incoming)) outgoing.writeContinue();
    const received = await receive(incoming, handle, blockSize, (written) => {
      bytes = written;
    });
    if (!received.ok) {
      report(received.fault.code === 'transfer-cut' ? 'cut' : 'failed', received.fault.code);
      return sendProblem(outgoing, received.fault.code, { Connection: 'close' });
    }
    // A session that was ended meanwhile leaves nothing behind, though its body came to its end.
    if (session.ended.aborted) {
      report('cut', 'transfer-cut');
      outgoing.destroy();
      return;
    }
    settled = 'closed';
    const committed = await handle.commit();
    if (!committed.ok) {
      report('failed', committed.fault.code);
      return refusePut(exchange, committed.fault.code, onlyNew);
    }
    report('completed');
    answer(outgoing, before.ok ? 204 : 201);
  } finally {
    if (settled === 'open') await handle.abandon();
  }
}

const refusePut = ({ outgoing }: Exchange, code: FaultCode, onlyNew: boolean): void =>
  sendProblem(outgoing, onlyNew && code === 'file-exists' ? 'precondition-failed' : code);
