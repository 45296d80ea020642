import { type Fault, ok, type Result, refuse } from '@sallyport/faults';
import { type AttributeFields, readAttributes } from './attributes.ts';
import { ByteReader } from './byte-reader.ts';
import { messageType } from './protocol.ts';

/** A request that names a handle, or one path, and nothing else. */
type OnHandle<K extends string> = K extends string ? { readonly kind: K; readonly handle: number } : never;
type OnPath<K extends string> = K extends string ? { readonly kind: K; readonly path: string } : never;

type RequestBody =
  | {
      readonly kind: 'open';
      readonly path: string;
      readonly flags: number;
      readonly attributes: AttributeFields;
    }
  | OnHandle<'close' | 'fstat' | 'readdir' | 'fsync' | 'fstatvfs'>
  | { readonly kind: 'read'; readonly handle: number; readonly offset: number; readonly length: number }
  | { readonly kind: 'write'; readonly handle: number; readonly offset: number; readonly data: Uint8Array }
  | OnPath<
      'stat' | 'lstat' | 'opendir' | 'remove' | 'rmdir' | 'realpath' | 'readlink' | 'statvfs' | 'expand-path'
    >
  | { readonly kind: 'setstat' | 'lsetstat'; readonly path: string; readonly attributes: AttributeFields }
  | { readonly kind: 'mkdir'; readonly path: string; readonly attributes: AttributeFields }
  | { readonly kind: 'fsetstat'; readonly handle: number; readonly attributes: AttributeFields }
  | { readonly kind: 'rename'; readonly path: string; readonly target: string }
  | { readonly kind: 'posix-rename'; readonly path: string; readonly target: string }
  | { readonly kind: 'hardlink'; readonly path: string; readonly target: string }
  | {
      readonly kind: 'copy-data';
      /** Read from here. */
      readonly handle: number;
      readonly offset: number;
      /** Bytes to copy; 0: up to the end. */
      readonly length: number;
      readonly targetHandle: number;
      readonly targetOffset: number;
    }
  | { readonly kind: 'names-by-id'; readonly users: number; readonly groups: number }
  | { readonly kind: 'limits' };

/** One request after the handshake; paths are as the client sent them. */
export type Request = { readonly id: number } & RequestBody;

/** The requests of these kinds. */
export type RequestOf<K extends Request['kind']> = { readonly id: number } & Extract<
  RequestBody,
  { kind: K }
>;

/** A request, or one that is answered with a refusal because a field of it cannot be used. */
export type Decoded =
  | { readonly kind: 'request'; readonly request: Request }
  | { readonly kind: 'refused'; readonly id: number; readonly fault: Fault };

/** Ids packed into one string; how many they are. */
const readIds = (reader: ByteReader): number => Math.floor(reader.string().length / 4);

/** The fields of an extended request (OpenSSH PROTOCOL section 4); nothing for one that we do not know. */
function readExtended(reader: ByteReader): RequestBody | undefined {
  switch (reader.text()) {
    case 'posix-rename@openssh.com':
      return { kind: 'posix-rename', path: reader.text(), target: reader.text() };
    case 'fsync@openssh.com':
      return { kind: 'fsync', handle: reader.handle() };
    case 'limits@openssh.com':
      return { kind: 'limits' };
    case 'hardlink@openssh.com':
      return { kind: 'hardlink', path: reader.text(), target: reader.text() };
    case 'statvfs@openssh.com':
      return { kind: 'statvfs', path: reader.text() };
    case 'fstatvfs@openssh.com':
      return { kind: 'fstatvfs', handle: reader.handle() };
    case 'lsetstat@openssh.com':
      return { kind: 'lsetstat', path: reader.text(), attributes: readAttributes(reader) };
    case 'expand-path@openssh.com':
      return { kind: 'expand-path', path: reader.text() };
    case 'copy-data':
      return {
        kind: 'copy-data',
        handle: reader.handle(),
        offset: reader.uint64(),
        length: reader.uint64(),
        targetHandle: reader.handle(),
        targetOffset: reader.uint64(),
      };
    case 'users-groups-by-id@openssh.com':
      return { kind: 'names-by-id', users: readIds(reader), groups: readIds(reader) };
    default:
      return undefined;
  }
}

/** The fields after the request id; nothing for an operation that we do not have. */
function readBody(type: number, reader: ByteReader): RequestBody | undefined {
  switch (type) {
    case messageType.open:
      return {
        kind: 'open',
        path: reader.text(),
        flags: reader.uint32(),
        attributes: readAttributes(reader),
      };
    case messageType.close:
      return { kind: 'close', handle: reader.handle() };
    case messageType.read:
      return { kind: 'read', handle: reader.handle(), offset: reader.uint64(), length: reader.uint32() };
    case messageType.write: {
      const handle = reader.handle();
      const offset = reader.uint64();
      const data = reader.string();
      // The Go client (pkg/sftp 1.13, so rclone) sends its last block with the rest of its buffer behind the data.
      reader.rest();
      return { kind: 'write', handle, offset, data };
    }
    case messageType.lstat:
      return { kind: 'lstat', path: reader.text() };
    case messageType.fstat:
      return { kind: 'fstat', handle: reader.handle() };
    case messageType.setstat:
      return { kind: 'setstat', path: reader.text(), attributes: readAttributes(reader) };
    case messageType.fsetstat:
      return { kind: 'fsetstat', handle: reader.handle(), attributes: readAttributes(reader) };
    case messageType.opendir:
      return { kind: 'opendir', path: reader.text() };
    case messageType.readdir:
      return { kind: 'readdir', handle: reader.handle() };
    case messageType.remove:
      return { kind: 'remove', path: reader.text() };
    case messageType.mkdir:
      return { kind: 'mkdir', path: reader.text(), attributes: readAttributes(reader) };
    case messageType.rmdir:
      return { kind: 'rmdir', path: reader.text() };
    case messageType.readlink:
      return { kind: 'readlink', path: reader.text() };
    case messageType.realpath:
      return { kind: 'realpath', path: reader.text() };
    case messageType.stat:
      return { kind: 'stat', path: reader.text() };
    case messageType.rename:
      return { kind: 'rename', path: reader.text(), target: reader.text() };
    case messageType.extended:
      return readExtended(reader);
    default:
      return undefined;
  }
}

/**
 * Decodes one packet after the handshake (draft-ietf-secsh-filexfer-02 section 6).
 *
 * @param body the packet without its length field
 * @returns the request; or the refusal that answers it, `operation-unsupported` for an operation we do not have;
 *   or `message-malformed` where fields are cut short or bytes are left over, and the peer cannot be trusted to
 *   mean what we read
 */
export function decodeRequest(body: Uint8Array): Result<Decoded> {
  const reader = new ByteReader(body);
  const type = reader.uint8();
  const id = reader.uint32();
  const fields = readBody(type, reader);
  if (!fields) {
    return reader.malformed || type === messageType.init
      ? refuse('message-malformed', `packet type ${type}`)
      : ok({ kind: 'refused', id, fault: { code: 'operation-unsupported', detail: `packet type ${type}` } });
  }
  if (reader.malformed || reader.remaining > 0) {
    return refuse('message-malformed', `${fields.kind} is cut short or has bytes left over`);
  }
  if (reader.refusal) return ok({ kind: 'refused', id, fault: { code: reader.refusal } });
  return ok({ kind: 'request', request: { id, ...fields } });
}

/**
 * Decodes SSH_FXP_INIT, the first packet (section 4). Extensions of the client follow it and are ignored.
 *
 * @returns the client's version, or `message-malformed`
 */
export function decodeInit(body: Uint8Array): Result<number> {
  const reader = new ByteReader(body);
  const type = reader.uint8();
  const version = reader.uint32();
  return reader.malformed || type !== messageType.init
    ? refuse('message-malformed', `packet type ${type} in place of INIT`)
    : ok(version);
}
