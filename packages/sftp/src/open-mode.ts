import { ok, type Result, refuse } from '@sallyport/faults';
import type { WriteMode } from '@sallyport/files';
import { openFlag } from './protocol.ts';

/** What SSH_FXP_OPEN asks for, in the words of the FileSystem port. */
export type OpenMode =
  | { readonly kind: 'read' }
  | {
      readonly kind: 'write';
      readonly mode: WriteMode;
      /** Refuse a path that is not there, though `mode` would create it: TRUNC without CREAT. */
      readonly mustExist: boolean;
      /** Every write goes to the end, whatever its offset says. */
      readonly append: boolean;
      /** The handle reads, too. */
      readonly readable: boolean;
    };

/**
 * Maps `pflags` (draft-ietf-secsh-filexfer-02 section 6.3) as POSIX open(2) would take them.
 *
 * @returns the mode, or `invalid-request` for unknown bits and for neither READ nor WRITE
 */
export function openMode(flags: number): Result<OpenMode> {
  const has = (flag: number) => (flags & flag) !== 0;
  if (flags & ~0x3f || !(has(openFlag.read) || has(openFlag.write))) {
    return refuse('invalid-request', `open flags ${flags}`);
  }
  if (!has(openFlag.write)) {
    return has(openFlag.create) || has(openFlag.truncate) || has(openFlag.append)
      ? refuse('invalid-request', `open flags ${flags} change a file opened for reading`)
      : ok({ kind: 'read' });
  }
  const create = has(openFlag.create);
  const truncate = has(openFlag.truncate);
  return ok({
    kind: 'write',
    mode:
      create && has(openFlag.exclusive)
        ? 'create'
        : truncate
          ? 'replace'
          : create
            ? 'update-or-create'
            : 'update',
    mustExist: truncate && !create,
    append: has(openFlag.append),
    readable: has(openFlag.read),
  });
}
