import { ok, type Result, refuse } from '@sallyport/faults';
import type { OperationContext } from './handle-operations.ts';
import type { OpenHandle } from './handles.ts';
import { wireLimits } from './protocol.ts';
import type { RequestOf } from './request.ts';

const block = wireLimits.readLength;

/**
 * Copies from one open file to another, or within one, without a way through the client
 * (draft-ietf-secsh-filexfer-extensions-00 section 7). Ends early where the client has gone.
 *
 * @returns nothing; `handle-invalid` for handles that do not read and write, `invalid-request` where the ranges lie in
 *   one file and overlap, or what the storage refused
 */
export async function copyData(
  context: OperationContext,
  request: RequestOf<'copy-data'>,
  from: OpenHandle,
  to: OpenHandle,
): Promise<Result<void>> {
  if (from.kind === 'directory' || to.kind !== 'upload' || (from.kind === 'upload' && !from.readable)) {
    return refuse('handle-invalid', 'copy-data needs a file to read and a file to write');
  }
  const end = request.length === 0 ? Number.MAX_SAFE_INTEGER : request.offset + request.length;
  let target = to.appendAt ?? request.targetOffset;
  const targetEnd = target + (end - request.offset);
  const same = from === to || from.path === to.path;
  if (same && (request.length === 0 || (request.offset < targetEnd && target < end))) {
    return refuse('invalid-request', 'the ranges overlap');
  }
  const buffer = context.buffers.take(block);
  try {
    for (let at = request.offset; at < end; ) {
      if (context.isOver()) return refuse('transfer-cut');
      const read = await from.file.read(buffer.subarray(0, Math.min(block, end - at)), at);
      if (!read.ok) return read;
      if (read.value === 0) break;
      const written = await to.file.write(buffer.subarray(0, read.value), target);
      if (!written.ok) {
        to.failure ??= written.fault;
        return written;
      }
      at += read.value;
      target += read.value;
      to.bytes += read.value;
      if (to.appendAt !== undefined) to.appendAt = target;
    }
    return ok(undefined);
  } finally {
    context.buffers.give(buffer);
  }
}
