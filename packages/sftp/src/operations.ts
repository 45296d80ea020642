import type { Result } from '@sallyport/faults';
import type { VirtualPath } from '@sallyport/files';
import type { Access } from './access.ts';
import { attributeChange } from './attribute-change.ts';
import { copyData } from './copy-data.ts';
import {
  close,
  intoTable,
  type OperationContext,
  openDirectory,
  openFile,
  read,
  write,
} from './handle-operations.ts';
import type { OpenHandle } from './handles.ts';
import { nextEntries } from './listing.ts';
import {
  attributesReply,
  entriesReply,
  eofReply,
  faultReply,
  limitsReply,
  namesReply,
  okReply,
  pathReply,
  type ReplyPacket,
  spaceReply,
} from './reply.ts';
import type { Request, RequestOf } from './request.ts';

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
  'hardlink',
  'lsetstat',
  'copy-data',
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
    case 'names-by-id':
      return namesReply(id, request.users, request.groups);
    case 'realpath':
    case 'expand-path':
      return pathReply(id, path);
    case 'readlink': {
      const link = await files.readLink(path);
      return link.ok ? pathReply(id, link.value) : faultReply(id, link.fault);
    }
    case 'statvfs': {
      const space = await files.space(path);
      return space.ok ? spaceReply(id, space.value) : faultReply(id, space.fault);
    }
    case 'stat':
    case 'lstat': {
      const found = await files[request.kind](path);
      return found.ok ? attributesReply(id, found.value) : faultReply(id, found.fault);
    }
    case 'setstat':
    case 'lsetstat': {
      const [links, present] =
        request.kind === 'setstat' ? (['follow', files.stat] as const) : (['stay', files.lstat] as const);
      const change = await attributeChange(request.attributes, () => present(path));
      return done(change.ok ? await files.setAttributes(path, change.value, links) : change);
    }
    case 'hardlink':
      return done(await files.link(path, target));
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
      if (request.kind === 'copy-data') {
        const into = context.handles.get(request.targetHandle);
        if (!into || into !== access.target) return faultReply(id, { code: 'handle-invalid' });
        return done(await copyData(context, request, handle, into));
      }
      return performOnHandle(context, request, handle);
    }
  }
}

async function performOnHandle(
  context: OperationContext,
  request: RequestOf<'read' | 'write' | 'fstat' | 'fstatvfs' | 'fsetstat' | 'fsync' | 'readdir'>,
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
    case 'fstatvfs': {
      const space = await context.files.space(handle.path);
      return space.ok ? spaceReply(id, space.value) : faultReply(id, space.fault);
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
