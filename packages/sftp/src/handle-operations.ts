import type { Fault, Result } from '@sallyport/faults';
import type { FileSystem, VirtualPath } from '@sallyport/files';
import type { BufferPool } from './buffer-pool.ts';
import type { HandleTable, OpenDownload, OpenHandle, OpenUpload } from './handles.ts';
import { openMode } from './open-mode.ts';
import { wireLimits } from './protocol.ts';
import {
  dataHeaderLength,
  dataReply,
  eofReply,
  faultReply,
  handleReply,
  okReply,
  type ReplyPacket,
} from './reply.ts';
import type { RequestOf } from './request.ts';
import type { SftpTransfer } from './transfer.ts';

/** What operations work on: the state and the surroundings of one session. */
export type OperationContext = {
  readonly files: FileSystem;
  readonly handles: HandleTable;
  /** Lends the buffers of SSH_FXP_DATA. */
  readonly buffers: BufferPool;
  readonly maxOpenHandles: number;
  /** False while the server drains: what is open goes on, nothing new begins. */
  readonly admitsOperations: () => boolean;
  /** The client has gone: what still runs may stop. */
  readonly isOver: () => boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly onTransfer: (transfer: SftpTransfer) => void;
};

/** Opens into a reserved place of the handle table and replies with the handle. */
export async function intoTable(
  context: OperationContext,
  id: number,
  open: () => Promise<Result<OpenHandle>>,
): Promise<ReplyPacket> {
  const reserved = context.handles.reserve();
  if (!reserved.ok) return faultReply(id, reserved.fault);
  let opened: Result<OpenHandle> | undefined;
  try {
    opened = await open();
  } finally {
    if (!opened?.ok) context.handles.release();
  }
  return opened.ok ? handleReply(id, context.handles.add(opened.value)) : faultReply(id, opened.fault);
}

export async function openDirectory(
  context: OperationContext,
  path: VirtualPath,
): Promise<Result<OpenHandle>> {
  const listed = await context.files.list(path);
  if (!listed.ok) return listed;
  const batches = listed.value[Symbol.asyncIterator]();
  return { ok: true, value: { kind: 'directory', path, batches, waiting: [] } };
}

export async function openFile(
  context: OperationContext,
  request: RequestOf<'open'>,
  path: VirtualPath,
): Promise<Result<OpenHandle>> {
  const { files } = context;
  const mode = openMode(request.flags);
  if (!mode.ok) return mode;
  if (mode.value.kind === 'read') {
    const opened = await files.openRead(path);
    if (!opened.ok) return opened;
    const file = opened.value;
    return {
      ok: true,
      value: { kind: 'download', path, file, bytes: 0, reachedEnd: false, requested: false },
    };
  }
  if (mode.value.mustExist) {
    const present = await files.stat(path);
    if (!present.ok) return present;
  }
  const opened = await files.openWrite(path, mode.value.mode, request.attributes.mode);
  if (!opened.ok) return opened;
  const file = opened.value;
  let appendAt: number | undefined;
  if (mode.value.append) {
    const attributes = await file.attributes();
    if (!attributes.ok) {
      await file.abandon();
      return attributes;
    }
    appendAt = attributes.value.size;
  }
  const { readable } = mode.value;
  return {
    ok: true,
    value: { kind: 'upload', path, file, readable, appendAt, bytes: 0, failure: undefined },
  };
}

export async function read(
  context: OperationContext,
  request: RequestOf<'read'>,
  handle: OpenDownload | OpenUpload,
): Promise<ReplyPacket> {
  if (handle.kind === 'upload' && !handle.readable) {
    return faultReply(request.id, { code: 'permission-denied', detail: 'opened for writing alone' });
  }
  const wanted = Math.min(request.length, wireLimits.readLength);
  const buffer = context.buffers.take(dataHeaderLength + wanted);
  const filled = await handle.file.read(buffer.subarray(dataHeaderLength), request.offset);
  if (handle.kind === 'download') handle.requested = true;
  if (!filled.ok || filled.value === 0) context.buffers.give(buffer);
  if (!filled.ok) return faultReply(request.id, filled.fault);
  if (handle.kind === 'download') {
    handle.bytes += filled.value;
    if (filled.value < wanted) handle.reachedEnd = true;
  }
  return filled.value === 0 ? eofReply(request.id) : dataReply(request.id, buffer, filled.value);
}

export async function write(request: RequestOf<'write'>, handle: OpenUpload): Promise<ReplyPacket> {
  const position = handle.appendAt ?? request.offset;
  const written = await handle.file.write(request.data, position);
  if (!written.ok) {
    handle.failure ??= written.fault;
    return faultReply(request.id, written.fault);
  }
  if (handle.appendAt !== undefined) handle.appendAt += request.data.length;
  handle.bytes += request.data.length;
  return okReply(request.id);
}

export async function close(context: OperationContext, request: RequestOf<'close'>): Promise<ReplyPacket> {
  const { id } = request;
  const handle = context.handles.take(request.handle);
  switch (handle?.kind) {
    case undefined:
      return faultReply(id, { code: 'handle-invalid' });
    case 'directory':
      await handle.batches.return?.();
      return okReply(id);
    case 'download':
      await closeDownload(context, handle);
      return okReply(id);
    case 'upload': {
      const fault = await finishUpload(context, handle);
      return fault ? faultReply(id, fault) : okReply(id);
    }
  }
}

async function closeDownload(context: OperationContext, handle: OpenDownload): Promise<void> {
  const attributes = handle.reachedEnd ? undefined : await handle.file.attributes();
  await handle.file.close();
  if (!handle.requested) return;
  const whole = handle.reachedEnd || (attributes?.ok === true && handle.bytes >= attributes.value.size);
  context.onTransfer({
    direction: 'download',
    path: handle.path,
    bytes: handle.bytes,
    outcome: whole ? 'completed' : 'cut',
  });
}

/** Commits an upload; one with a failed write is abandoned instead: it would appear with a hole. */
async function finishUpload(context: OperationContext, handle: OpenUpload): Promise<Fault | undefined> {
  let fault = handle.failure;
  if (fault) {
    await handle.file.abandon();
  } else {
    const committed = await handle.file.commit();
    if (!committed.ok) fault = committed.fault;
  }
  context.onTransfer({
    direction: 'upload',
    path: handle.path,
    bytes: handle.bytes,
    ...(fault ? { outcome: 'failed', reason: fault.code } : { outcome: 'completed' }),
  });
  return fault;
}

/**
 * Releases a handle that the client left open: what was being received never appears.
 */
export async function abandon(context: OperationContext, handle: OpenHandle): Promise<void> {
  switch (handle.kind) {
    case 'directory':
      await handle.batches.return?.();
      return;
    case 'download':
      await handle.file.close();
      if (!handle.requested) return;
      break;
    case 'upload':
      await handle.file.abandon();
      break;
  }
  context.onTransfer({
    direction: handle.kind,
    path: handle.path,
    bytes: handle.bytes,
    outcome: 'cut',
    reason: 'transfer-cut',
  });
}
