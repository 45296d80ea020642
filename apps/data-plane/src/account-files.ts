import { type FileGrant, type FileSystem, guardedFileSystem } from '@sallyport/files';
import { diskFileSystem, openHome } from '@sallyport/files/disk';
import type { AccountRecord } from '@sallyport/snapshot/node';

/** The files of an account, and the way to hold them to other permissions from then on. */
export async function filesOf(
  filesRoot: string,
  account: AccountRecord,
): Promise<{ files: FileSystem; regrant: (permissions: FileGrant['permissions']) => void } | undefined> {
  const home = await openHome(filesRoot, account.home);
  if (!home.ok) return undefined;
  const disk = diskFileSystem({ home: home.value, uploadMode: account.uploadMode, account: account.id });
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
