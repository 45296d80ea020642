import type { Result } from '@sallyport/faults';
import type { FileAttributes, VirtualPath } from '@sallyport/files';
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
      const found = await attributesAt(context, request.kind, path);
      return found.ok ? attributesReply(id, found.value) : faultReply(id, found.fault);
    }
    case 'setstat':
    case 'lsetstat': {
      const [links, look] =
        request.kind === 'setstat' ? (['follow', 'stat'] as const) : (['stay', 'lstat'] as const);
      const change = await attributeChange(request.attributes, () => attributesAt(context, look, path));
      if (!change.ok) return faultReply(id, change.fault);
      const set = await files.setAttributes(path, change.value, links);
      const writing = isMissing(set) ? context.handles.stagedUpload(path) : undefined;
      return done(writing ? await writing.file.setAttributes(change.value) : set);
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

const isMissing = (result: Result<unknown>): boolean => !result.ok && result.fault.code === 'file-not-found';

/**
 * Attributes by path. What this session is writing is there for itself, as it would be for one that writes in place:
 * file systems over SFTP look at a file as soon as they have made it.
 */
async function attributesAt(
  { files, handles }: OperationContext,
  look: 'stat' | 'lstat',
  path: VirtualPath,
): Promise<Result<FileAttributes>> {
  const found = await files[look](path);
  const writing = isMissing(found) ? handles.stagedUpload(path) : undefined;
  return writing ? writing.file.attributes() : found;
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
