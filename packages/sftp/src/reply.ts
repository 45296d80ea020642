import { type Fault, faults } from '@sallyport/faults';
import type { DirectoryEntry, FileAttributes, StorageSpace } from '@sallyport/files';
import { writeAttributes } from './attributes.ts';
import { ByteWriter } from './byte-writer.ts';
import { longname } from './longname.ts';
import { extensions, messageType, protocolVersion, statusCode, wireLimits } from './protocol.ts';

/** A whole packet, length field included. */
export type ReplyPacket = Uint8Array;

function packet(type: number, expected: number, write: (writer: ByteWriter) => void): ReplyPacket {
  const writer = new ByteWriter(expected).uint32(0).uint8(type);
  write(writer);
  writer.patchUint32(0, writer.length - 4);
  return writer.finish();
}

/** SSH_FXP_VERSION with our extensions (draft-ietf-secsh-filexfer-02 section 4). */
export const versionReply = (): ReplyPacket =>
  packet(messageType.version, 128, (writer) => {
    writer.uint32(protocolVersion);
    for (const [name, version] of Object.entries(extensions)) writer.string(name).string(version);
  });

const status = (id: number, code: number, text: string): ReplyPacket =>
  packet(messageType.status, 96, (writer) => writer.uint32(id).uint32(code).string(text).string('en'));

/** SSH_FXP_STATUS for success. */
export const okReply = (id: number): ReplyPacket => status(id, statusCode.ok, 'Success.');

/** SSH_FXP_STATUS for the end of a file or a directory. */
export const eofReply = (id: number): ReplyPacket => status(id, statusCode.eof, 'End of file.');

/** SSH_FXP_STATUS for a refusal: the code and the generic text of the fault table, never its detail. */
export const faultReply = (id: number, fault: Fault): ReplyPacket =>
  status(id, faults[fault.code].sftp, faults[fault.code].text);

/** SSH_FXP_HANDLE. */
export const handleReply = (id: number, handle: Uint8Array): ReplyPacket =>
  packet(messageType.handle, 32, (writer) => writer.uint32(id).string(handle));

/** SSH_FXP_ATTRS. */
export const attributesReply = (id: number, attributes: FileAttributes): ReplyPacket =>
  packet(messageType.attrs, 64, (writer) => writeAttributes(writer.uint32(id), attributes));

/** SSH_FXP_NAME with the one name of SSH_FXP_REALPATH; its attributes are empty. */
export const pathReply = (id: number, path: string): ReplyPacket =>
  packet(messageType.name, 64 + path.length * 2, (writer) =>
    writer.uint32(id).uint32(1).string(path).string(path).uint32(0),
  );

/** SSH_FXP_NAME with entries of a directory. */
export const entriesReply = (id: number, entries: readonly DirectoryEntry[], now: number): ReplyPacket =>
  packet(messageType.name, entries.length * 160 + 32, (writer) => {
    writer.uint32(id).uint32(entries.length);
    for (const entry of entries) {
      writer.string(entry.name).string(longname(entry, now));
      writeAttributes(writer, entry.attributes);
    }
  });

/** SSH_FXP_EXTENDED_REPLY to limits@openssh.com (OpenSSH PROTOCOL section 4.8). */
export const limitsReply = (id: number, maxOpenHandles: number): ReplyPacket =>
  packet(messageType.extendedReply, 48, (writer) =>
    writer
      .uint32(id)
      .uint64(wireLimits.packetLength)
      .uint64(wireLimits.readLength)
      .uint64(wireLimits.writeLength)
      .uint64(maxOpenHandles),
  );

/** The longest file name (POSIX NAME_MAX), which statvfs tells, and the flags of its reply. */
const longestName = 255;
const noSetId = 2;

/** SSH_FXP_EXTENDED_REPLY to statvfs@openssh.com and fstatvfs@openssh.com (OpenSSH PROTOCOL section 4.4). */
export const spaceReply = (id: number, space: StorageSpace): ReplyPacket =>
  packet(messageType.extendedReply, 112, (writer) =>
    writer
      .uint32(id)
      .uint64(space.blockSize)
      .uint64(space.blockSize)
      .uint64(space.blocks)
      .uint64(space.freeBlocks)
      .uint64(space.availableBlocks)
      .uint64(space.files)
      .uint64(space.freeFiles)
      .uint64(space.freeFiles)
      .uint64(0)
      .uint64(noSetId)
      .uint64(longestName),
  );

/**
 * SSH_FXP_EXTENDED_REPLY to users-groups-by-id@openssh.com (OpenSSH PROTOCOL section 4.9): an empty name for every id,
 * which says that there is none. The names of this machine's users are nobody's business outside.
 */
export const namesReply = (id: number, users: number, groups: number): ReplyPacket =>
  packet(messageType.extendedReply, 32 + 4 * (users + groups), (writer) =>
    writer
      .uint32(id)
      .string(new Uint8Array(4 * users))
      .string(new Uint8Array(4 * groups)),
  );

/** Bytes of SSH_FXP_DATA before its data: length, type, id, length of the data. */
export const dataHeaderLength = 13;

/**
 * SSH_FXP_DATA over a buffer whose first `dataHeaderLength` bytes are free and whose data is already in place:
 * a file is read straight into its reply.
 *
 * @param length bytes of data behind the header
 */
export function dataReply(id: number, buffer: Uint8Array, length: number): ReplyPacket {
  const view = new DataView(buffer.buffer, buffer.byteOffset, dataHeaderLength);
  view.setUint32(0, dataHeaderLength - 4 + length);
  view.setUint8(4, messageType.data);
  view.setUint32(5, id);
  view.setUint32(9, length);
  return buffer.subarray(0, dataHeaderLength + length);
}
