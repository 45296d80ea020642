import { type FileGrant, type FileSystem, guardedFileSystem } from '@sallyport/files';
import { type DiskCalls, diskCallsBelow, diskFileSystem, openHome } from '@sallyport/files/disk';
import type { AccountRecord } from '@sallyport/snapshot/node';

/** The folder that all homes are in, and how system calls below it are made. */
export type FilesRoot = { readonly folder: string; readonly calls: DiskCalls };

/** Looks once where the folder of all homes lies (`diskCallsBelow`). */
export const filesRootAt = (folder: string): FilesRoot => ({ folder, calls: diskCallsBelow(folder) });

/** The files of an account, and the way to hold them to other permissions from then on. */
export async function filesOf(
  root: FilesRoot,
  account: AccountRecord,
): Promise<{ files: FileSystem; regrant: (permissions: FileGrant['permissions']) => void } | undefined> {
  const home = await openHome(root.folder, account.home);
  if (!home.ok) return undefined;
  const disk = diskFileSystem({
    home: home.value,
    uploadMode: account.uploadMode,
    account: account.id,
    calls: root.calls,
  });
  let { permissions } = account;
  const grant: FileGrant = {
    get permissions() {
      return permissions;
    },
  };
  return {
    files: guardedFileSystem(disk, grant),
    regrant: (next) => {
      permissions = [...next];
    },
  };
}
