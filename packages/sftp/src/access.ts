import { ok, type Result, refuse } from '@sallyport/faults';
import { type VirtualPath, virtualPath } from '@sallyport/files';
import type { HandleTable, OpenHandle } from './handles.ts';
import { openFlag } from './protocol.ts';
import type { Request } from './request.ts';

/** What a request touches: enough to know which others it may overtake. */
export type Access = {
  /** The handle that it names, as it stood when the request came. */
  readonly handle?: OpenHandle;
  /** The handle that `copy-data` writes to. */
  readonly target?: OpenHandle;
  /** The paths that it names. */
  readonly paths: readonly VirtualPath[];
  /**
   * `read` leaves things as they are, `write` changes the bytes of `range`, `exclusive` anything else about what it
   * touches. `alone` runs beside nothing.
   */
  readonly effect: 'read' | 'write' | 'exclusive' | 'alone';
  /** Bytes of a `write`, end exclusive; absent: anywhere. */
  readonly range?: { readonly from: number; readonly to: number };
};

const readOnly = new Set<Request['kind']>([
  'stat',
  'lstat',
  'realpath',
  'expand-path',
  'readlink',
  'statvfs',
  'fstatvfs',
  'opendir',
  'fstat',
  'read',
]);

/**
 * Resolves what a request touches.
 *
 * @returns the access; `path-invalid` for a path that cannot be, `handle-invalid` for a handle that is not open
 */
export function accessOf(request: Request, handles: HandleTable): Result<Access> {
  const effect = readOnly.has(request.kind) ? 'read' : 'exclusive';
  switch (request.kind) {
    case 'limits':
    case 'names-by-id':
      return ok({ paths: [], effect: 'read' });
    case 'expand-path': {
      const expanded = expandPath(request.path);
      return expanded.ok ? ok({ paths: [expanded.value], effect }) : expanded;
    }
    case 'copy-data': {
      const handle = handles.get(request.handle);
      const target = handles.get(request.targetHandle);
      if (!handle || !target) return { ok: false, fault: { code: 'handle-invalid' } };
      return ok({ handle, target, paths: [], effect: 'alone' });
    }
    case 'open': {
      const opened = virtualPath(request.path);
      if (!opened.ok) return opened;
      const writes = (request.flags & openFlag.write) !== 0;
      return ok({ paths: [opened.value], effect: writes ? 'exclusive' : 'read' });
    }
    case 'rename':
    case 'posix-rename':
    case 'hardlink': {
      const from = virtualPath(request.path);
      if (!from.ok) return from;
      const to = virtualPath(request.target);
      if (!to.ok) return to;
      return ok({ paths: [from.value, to.value], effect });
    }
    case 'stat':
    case 'lstat':
    case 'realpath':
    case 'readlink':
    case 'statvfs':
    case 'lsetstat':
    case 'opendir':
    case 'remove':
    case 'rmdir':
    case 'setstat':
    case 'mkdir': {
      const path = virtualPath(request.path);
      return path.ok ? ok({ paths: [path.value], effect }) : path;
    }
    default: {
      const handle = handles.get(request.handle);
      if (!handle) return { ok: false, fault: { code: 'handle-invalid' } };
      if (request.kind !== 'write') return ok({ handle, paths: [], effect });
      if (handle.kind === 'upload' && handle.appendAt !== undefined) {
        return ok({ handle, paths: [], effect: 'exclusive' });
      }
      const range = { from: request.offset, to: request.offset + request.data.length };
      return ok({ handle, paths: [], effect: 'write', range });
    }
  }
}

/**
 * Expands `~` as a shell would (OpenSSH PROTOCOL section 4.7): the home is the root. Of other users there is nothing to
 * tell.
 */
function expandPath(path: string): Result<VirtualPath> {
  if (!path.startsWith('~')) return virtualPath(path);
  const [user, ...rest] = path.slice(1).split('/');
  return user === '' ? virtualPath(rest.join('/')) : refuse('file-not-found', 'there are no other homes');
}

const contains = (directory: VirtualPath, path: VirtualPath): boolean =>
  directory === path || path.startsWith(directory === '/' ? '/' : `${directory}/`);

/** Is one path the other, or above it? */
const related = (a: VirtualPath, b: VirtualPath): boolean => contains(a, b) || contains(b, a);

/**
 * Must `later` wait until `earlier` is done? Requests may run side by side as long as the outcome is the one
 * of running them in order (draft-ietf-secsh-filexfer-02 section 6.1); requests that only read the same thing,
 * writes to different bytes, and operations on unrelated paths do.
 */
export function mustWait(earlier: Access, later: Access): boolean {
  if (earlier.effect === 'alone' || later.effect === 'alone') return true;
  if (earlier.effect === 'read' && later.effect === 'read') return false;
  if (earlier.handle && later.handle) {
    if (earlier.handle !== later.handle && earlier.handle.path !== later.handle.path) return false;
    if (earlier.range && later.range) {
      return earlier.range.from < later.range.to && later.range.from < earlier.range.to;
    }
    return true;
  }
  if (earlier.handle || later.handle) {
    const [open, named] = earlier.handle ? [earlier, later.paths] : [later as Access, earlier.paths];
    // What an open handle reads stays as it is, whatever happens to its name.
    if (open.effect === 'read' || !open.handle) return false;
    const path = open.handle.path;
    return named.some((name) => related(name, path));
  }
  return earlier.paths.some((path) => later.paths.some((other) => related(path, other)));
}
