import type { IncomingMessage } from 'node:http';
import { ok, type Result, refuse } from '@sallyport/faults';
import type { WriteHandle } from '@sallyport/files';
import { preconditions, validatorsOf } from './conditions.ts';
import type { Exchange } from './exchange.ts';
import { sendProblem } from './problem.ts';

const expectsContinue = (incoming: IncomingMessage): boolean =>
  /^100-continue$/i.test(incoming.headers.expect ?? '');

/**
 * Puts the body into the file in blocks, from two buffers in turn: while one is written, the other is filled.
 * The body is asked for no faster than the disk takes it.
 *
 * @returns bytes written; `transfer-cut` where the body did not come to its end, or what the storage refused
 */
async function receive(
  incoming: IncomingMessage,
  handle: WriteHandle,
  blockSize: number,
  progress: (bytes: number) => void,
): Promise<Result<number>> {
  let buffers: [Buffer, Buffer] | undefined;
  let used = 0;
  let position = 0;
  let writing: Promise<Result<void>> = Promise.resolve(ok(undefined));

  async function flush(block: Uint8Array): Promise<Result<void>> {
    const previous = await writing;
    if (!previous.ok) return previous;
    const at = position;
    position += block.length;
    writing = handle.write(block, at).then((result) => {
      if (result.ok) progress(at + block.length);
      return result;
    });
    return ok(undefined);
  }

  try {
    for await (const chunk of incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      let rest = chunk;
      while (rest.length > 0) {
        buffers ??= [Buffer.allocUnsafe(blockSize), Buffer.allocUnsafe(blockSize)];
        const taken = rest.copy(buffers[0], used);
        used += taken;
        rest = rest.subarray(taken);
        if (used < blockSize) continue;
        const flushed = await flush(buffers[0]);
        if (!flushed.ok) return flushed;
        buffers.reverse();
        used = 0;
      }
    }
  } catch {
    await writing;
    return refuse('transfer-cut', 'the connection closed within the body');
  }
  if (!incoming.complete) {
    await writing;
    return refuse('transfer-cut', 'the body is not complete');
  }
  if (buffers && used > 0) await flush(buffers[0].subarray(0, used));
  const last = await writing;
  return last.ok ? ok(position) : last;
}

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
    settled = 'closed';
    const committed = await handle.commit();
    if (!committed.ok) {
      report('failed', committed.fault.code);
      return refusePut(exchange, committed.fault.code, onlyNew);
    }
    report('completed');
    outgoing.writeHead(before.ok ? 204 : 201, before.ok ? {} : { 'Content-Length': '0' }).end();
  } finally {
    if (settled === 'open') await handle.abandon();
  }
}

const refusePut = ({ outgoing }: Exchange, code: Parameters<typeof sendProblem>[1], onlyNew: boolean): void =>
  sendProblem(outgoing, onlyNew && code === 'file-exists' ? 'precondition-failed' : code);
