import type { Fault, Result } from '@sallyport/faults';
import type { FileSystem, VirtualPath } from '@sallyport/files';
import type { Access } from './access.ts';
import { attributeChange } from './attribute-change.ts';
import type { BufferPool } from './buffer-pool.ts';
import type { HandleTable, OpenDownload, OpenHandle, OpenUpload } from './handles.ts';
import { nextEntries } from './listing.ts';
import { openMode } from './open-mode.ts';
import { wireLimits } from './protocol.ts';
import {
  attributesReply,
  dataHeaderLength,
  dataReply,
  entriesReply,
  eofReply,
  faultReply,
  handleReply,
  limitsReply,
  okReply,
  pathReply,
  type ReplyPacket,
} from './reply.ts';
import type { Request, RequestOf } from './request.ts';
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
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly onTransfer: (transfer: SftpTransfer) => void;
};

/** Requests that begin something; a draining server refuses them. */
const beginning = new Set<Request['kind']>([
  'open',
  'opendir',
  'setstat',
  'mkdir',
  'remove',
  'rmdir',
  'rename',
  'posix-rename',
]);

/**
 * Carries out one request and makes its reply.
 *
 * @param access what `accessOf` found for it
 * @returns a whole packet; a refusal of the FileSystem is a reply like any other. Rejects only for bugs.
 */
export async function perform(
  context: OperationContext,
  request: Request,
  access: Access,
): Promise<ReplyPacket> {
  const { id } = request;
  if (beginning.has(request.kind) && !context.admitsOperations()) {
    return faultReply(id, { code: 'service-refusing' });
  }
  const done = (result: Result<void>): ReplyPacket =>
    result.ok ? okReply(id) : faultReply(id, result.fault);
  const { files } = context;
  const [path, target] = access.paths as readonly [VirtualPath, VirtualPath];
  switch (request.kind) {
    case 'limits':
      return limitsReply(id, context.maxOpenHandles);
    case 'realpath':
      return pathReply(id, path);
    case 'stat':
    case 'lstat': {
      const found = await files[request.kind](path);
      return found.ok ? attributesReply(id, found.value) : faultReply(id, found.fault);
    }
    case 'setstat': {
      const change = await attributeChange(request.attributes, () => files.stat(path));
      return done(change.ok ? await files.setAttributes(path, change.value) : change);
    }
    case 'mkdir':
      return done(await files.makeDirectory(path, request.attributes.mode));
    case 'remove':
      return done(await files.removeFile(path));
    case 'rmdir':
      return done(await files.removeDirectory(path));
    case 'rename':
      return done(await files.rename(path, target, 'refuse'));
    case 'posix-rename':
      return done(await files.rename(path, target, 'replace'));
    case 'open':
      return intoTable(context, id, () => openFile(context, request, path));
    case 'opendir':
      return intoTable(context, id, () => openDirectory(context, path));
    case 'close':
      return close(context, request);
    default: {
      // The handle may have been closed by a request that this one had to wait for.
      const handle = context.handles.get(request.handle);
      if (!handle || handle !== access.handle) return faultReply(id, { code: 'handle-invalid' });
      return performOnHandle(context, request, handle);
    }
  }
}

async function performOnHandle(
  context: OperationContext,
  request: RequestOf<'read' | 'write' | 'fstat' | 'fsetstat' | 'fsync' | 'readdir'>,
  handle: OpenHandle,
): Promise<ReplyPacket> {
  const { id } = request;
  const wrongKind = () => faultReply(id, { code: 'handle-invalid' });
  const done = (result: Result<void>): ReplyPacket =>
    result.ok ? okReply(id) : faultReply(id, result.fault);
  const attributes = () =>
    handle.kind === 'directory' ? context.files.stat(handle.path) : handle.file.attributes();
  switch (request.kind) {
    case 'read':
      return handle.kind === 'directory' ? wrongKind() : read(context, request, handle);
    case 'write':
      return handle.kind === 'upload' ? write(request, handle) : wrongKind();
    case 'fstat': {
      const found = await attributes();
      return found.ok ? attributesReply(id, found.value) : faultReply(id, found.fault);
    }
    case 'fsetstat': {
      const change = await attributeChange(request.attributes, attributes);
      if (!change.ok) return faultReply(id, change.fault);
      return done(
        handle.kind === 'upload'
          ? await handle.file.setAttributes(change.value)
          : await context.files.setAttributes(handle.path, change.value),
      );
    }
    case 'fsync':
      return handle.kind === 'upload' ? done(await handle.file.sync()) : wrongKind();
    case 'readdir': {
      if (handle.kind !== 'directory') return wrongKind();
      const entries = await nextEntries(handle);
      if (!entries.ok) return faultReply(id, entries.fault);
      return entries.value.length === 0 ? eofReply(id) : entriesReply(id, entries.value, context.now());
    }
  }
}

/** Opens into a reserved place of the handle table and replies with the handle. */
async function intoTable(
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

async function openDirectory(context: OperationContext, path: VirtualPath): Promise<Result<OpenHandle>> {
  const listed = await context.files.list(path);
  if (!listed.ok) return listed;
  const batches = listed.value[Symbol.asyncIterator]();
  return { ok: true, value: { kind: 'directory', path, batches, waiting: [] } };
}

async function openFile(
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

async function read(
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

async function write(request: RequestOf<'write'>, handle: OpenUpload): Promise<ReplyPacket> {
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

async function close(context: OperationContext, request: RequestOf<'close'>): Promise<ReplyPacket> {
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
