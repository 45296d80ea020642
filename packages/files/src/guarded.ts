import { ok, type Result, refuse } from '@sallyport/faults';
import { type FileOperation, fileOperations } from '@sallyport/model';
import { authorize, type FileGrant } from './authorize.ts';
import type { AttributeChange, FileSystem, WriteHandle, WriteMode } from './filesystem.ts';
import { namesOf, type VirtualPath } from './path.ts';

/** What a change of attributes needs. */
const changeOperations = (change: AttributeChange): FileOperation[] => [
  ...(change.mode === undefined ? [] : (['chmod'] as const)),
  ...(change.size === undefined && change.modifiedAt === undefined && change.accessedAt === undefined
    ? []
    : (['write'] as const)),
];

/** Do other permissions hold for something below the path? Moving it would move that under foreign ones. */
const governsBelow = (grant: FileGrant, path: VirtualPath): boolean => {
  const names = namesOf(path);
  return grant.permissions.some((permission) => {
    const governed = permission.path.split('/').filter((name) => name !== '');
    return governed.length > names.length && names.every((name, index) => governed[index] === name);
  });
};

/**
 * The same files, with every call asked of the grant first. A refusal is `permission-denied` and is the same
 * whether or not the path exists. Permissions are of paths, not of inodes: a link that an operator put into the
 * home opens what it points at under the permission of the link's own path.
 */
export function guardedFileSystem(fs: FileSystem, grant: FileGrant): FileSystem {
  const may = (operation: FileOperation, path: VirtualPath): boolean => authorize(grant, operation, path).ok;

  /** Makes the call if all operations are permitted. */
  async function guard<T>(
    path: VirtualPath,
    operations: readonly FileOperation[],
    call: () => Promise<Result<T>>,
  ): Promise<Result<T>> {
    for (const operation of operations) {
      const allowed = authorize(grant, operation, path);
      if (!allowed.ok) return allowed;
    }
    return call();
  }

  const seen = (path: VirtualPath): readonly FileOperation[] => [may('list', path) ? 'list' : 'read'];

  /**
   * The mode to open in, such that nothing unpermitted can happen between a look and the open: whoever may only
   * create opens in the mode that creates atomically. Whoever may only overwrite has what is there looked at; should
   * it vanish meanwhile, a file comes back that was there a moment ago.
   */
  async function permittedMode(path: VirtualPath, mode: WriteMode): Promise<Result<WriteMode>> {
    const asAsked = async () => ok(mode);
    if (mode === 'create' || mode === 'continue') return guard(path, ['create'], asAsked);
    if (mode === 'update') return guard(path, ['write'], asAsked);
    if (may('create', path)) {
      // Who may create may go on with what it has begun to create.
      return ok(may('write', path) ? mode : mode === 'update-or-create' ? 'continue' : 'create');
    }
    return guard(path, ['write'], async () => {
      if (mode === 'update-or-create') return ok('update');
      const existing = await fs.stat(path);
      return existing.ok ? ok(mode) : existing;
    });
  }

  /**
   * Whoever opened for writing may set size and times of what it writes. Its own staged bytes it may read back;
   * a file written in place holds others'.
   */
  const guardedHandle = (handle: WriteHandle, path: VirtualPath): WriteHandle => ({
    placement: handle.placement,
    write: (bytes, position) => handle.write(bytes, position),
    read: (into, position) =>
      guard(path, handle.placement === 'staged' ? [] : ['read'], () => handle.read(into, position)),
    attributes: () => handle.attributes(),
    setAttributes: (change) =>
      guard(path, change.mode === undefined ? [] : ['chmod'], () => handle.setAttributes(change)),
    sync: () => handle.sync(),
    commit: () => handle.commit(),
    abandon: (whatIsThere) => handle.abandon(whatIsThere),
  });

  return {
    permits: (path) => fileOperations.filter((operation) => may(operation, path)),
    stat: (path) => guard(path, seen(path), () => fs.stat(path)),
    lstat: (path) => guard(path, seen(path), () => fs.lstat(path)),
    list: (path) => guard(path, ['list'], () => fs.list(path)),
    openRead: (path) => guard(path, ['read'], () => fs.openRead(path)),
    async openWrite(path, mode, fileMode) {
      const permitted = await permittedMode(path, mode);
      if (!permitted.ok) return permitted;
      const opened = await fs.openWrite(path, permitted.value, fileMode);
      if (!opened.ok) return opened;
      if (mode === 'update' && opened.value.placement === 'staged' && !may('create', path)) {
        // A cut upload would become a file that may no longer be made.
        await opened.value.abandon();
        return refuse('file-not-found', 'ENOENT');
      }
      return ok(guardedHandle(opened.value, path));
    },
    setAttributes: (path, change, links) =>
      guard(path, changeOperations(change), () => fs.setAttributes(path, change, links)),
    readLink: (path) => guard(path, seen(path), () => fs.readLink(path)),
    link: (existing, name) =>
      guard(existing, ['link'], () =>
        guard(name, ['link', 'create'], async () => {
          // The file is the same under both names: the second must not open what the first does not.
          const gained = (['read', 'write', 'chmod'] as const).find(
            (operation) => may(operation, name) && !may(operation, existing),
          );
          if (gained) return refuse('permission-denied', `${gained} ${existing} is not permitted`);
          return fs.link(existing, name);
        }),
      ),
    space: (path) => guard(path, seen(path), () => fs.space(path)),
    rename: (from, to, existing) =>
      guard(from, ['rename'], () =>
        guard(to, ['rename'], async () => {
          if (governsBelow(grant, from) || governsBelow(grant, to)) {
            return refuse('permission-denied', 'something below has permissions of its own');
          }
          if (existing === 'refuse' || may('write', to)) return fs.rename(from, to, existing);
          const renamed = await fs.rename(from, to, 'refuse');
          return !renamed.ok && renamed.fault.code === 'file-exists'
            ? refuse('permission-denied', `write ${to} is not permitted`)
            : renamed;
        }),
      ),
    removeFile: (path) => guard(path, ['delete'], () => fs.removeFile(path)),
    makeDirectory: (path, fileMode) => guard(path, ['mkdir'], () => fs.makeDirectory(path, fileMode)),
    removeDirectory: (path) => guard(path, ['rmdir'], () => fs.removeDirectory(path)),
  };
}
