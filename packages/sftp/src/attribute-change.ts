import { ok, type Result, refuse } from '@sallyport/faults';
import type { AttributeChange, FileAttributes } from '@sallyport/files';
import type { AttributeFields } from './attributes.ts';

/**
 * Turns the ATTRS of SETSTAT and FSETSTAT into a change of the FileSystem port.
 * An owner passes only where it is the present one: some clients send all fields back when they mean one.
 *
 * @param current reads the present attributes; asked only when an owner was sent
 * @returns the change, or `operation-unsupported` for another owner, before anything is changed
 */
export async function attributeChange(
  fields: AttributeFields,
  current: () => Promise<Result<FileAttributes>>,
): Promise<Result<AttributeChange>> {
  if (fields.owner) {
    const present = await current();
    if (!present.ok) return present;
    if (present.value.uid !== fields.owner.uid || present.value.gid !== fields.owner.gid) {
      return refuse('operation-unsupported', 'owners cannot be changed');
    }
  }
  return ok({
    ...(fields.size === undefined ? {} : { size: fields.size }),
    ...(fields.mode === undefined ? {} : { mode: fields.mode & 0o777 }),
    ...(fields.times === undefined
      ? {}
      : { accessedAt: fields.times.accessed * 1000, modifiedAt: fields.times.modified * 1000 }),
  });
}
