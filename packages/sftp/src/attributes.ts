import type { FileAttributes, FileKind } from '@sallyport/files';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { attributeFlag } from './protocol.ts';

/** ATTRS as a client sends them; a field left out was not sent. Times in seconds since the epoch. */
export type AttributeFields = {
  readonly size?: number;
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Permission bits; the type bits that some clients send along are dropped. */
  readonly mode?: number;
  readonly times?: { readonly accessed: number; readonly modified: number };
};

/** File type bits of `st_mode` (POSIX sys/stat.h), which v3 sends inside the permissions. */
const typeBits: Readonly<Record<FileKind, number>> = {
  file: 0o100_000,
  directory: 0o040_000,
  link: 0o120_000,
  other: 0,
};

const permissionBits = 0o7777;
const largestUint32 = 0xffff_ffff;

/** Milliseconds since the epoch as the 32-bit seconds of v3, held at the ends of its range. */
const seconds = (milliseconds: number): number =>
  Math.min(Math.max(Math.floor(milliseconds / 1000), 0), largestUint32);

/**
 * Reads ATTRS (draft-ietf-secsh-filexfer-02 section 5). Extended pairs are read and ignored, as the draft asks.
 *
 * @returns the fields that were sent; what is cut short sets `malformed` on the reader
 */
export function readAttributes(reader: ByteReader): AttributeFields {
  const flags = reader.uint32();
  const size = flags & attributeFlag.size ? reader.uint64() : undefined;
  const owner = flags & attributeFlag.owner ? { uid: reader.uint32(), gid: reader.uint32() } : undefined;
  const permissions = flags & attributeFlag.permissions ? reader.uint32() : undefined;
  const times =
    flags & attributeFlag.times ? { accessed: reader.uint32(), modified: reader.uint32() } : undefined;
  if (flags & attributeFlag.extended) {
    const count = reader.uint32();
    for (let pair = 0; pair < count && !reader.malformed; pair++) {
      reader.string();
      reader.string();
    }
  }
  return {
    ...(size === undefined ? {} : { size }),
    ...(owner === undefined ? {} : { owner }),
    ...(permissions === undefined ? {} : { mode: permissions & permissionBits }),
    ...(times === undefined ? {} : { times }),
  };
}

/** Writes ATTRS with size, owner, permissions (type bits included) and times. */
export function writeAttributes(writer: ByteWriter, attributes: FileAttributes): void {
  writer
    .uint32(attributeFlag.size | attributeFlag.owner | attributeFlag.permissions | attributeFlag.times)
    .uint64(attributes.size)
    .uint32(attributes.uid)
    .uint32(attributes.gid)
    .uint32(modeBits(attributes))
    .uint32(seconds(attributes.accessedAt))
    .uint32(seconds(attributes.modifiedAt));
}

/** `st_mode`: type and permission bits in one. */
export const modeBits = (attributes: Pick<FileAttributes, 'kind' | 'mode'>): number =>
  typeBits[attributes.kind] | (attributes.mode & permissionBits);
