import { concat } from '@sallyport/bytes';
import type { Fault } from '@sallyport/faults';
import type { FileSystem } from '@sallyport/files';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { PacketFramer } from './framing.ts';
import { messageType } from './protocol.ts';
import { createSftpSession, type SftpLimits, type SftpSession } from './session.ts';
import type { SftpTransfer } from './transfer.ts';

// The client's side of a conversation, for tests: it writes requests and reads replies, and nothing is shared
// with the session but the field readers and writers.

/** Frames one packet of a client. */
export function clientPacket(type: number, write: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter().uint32(0).uint8(type);
  write(writer);
  writer.patchUint32(0, writer.length - 4);
  return writer.finish();
}

const pathPacket = (type: number) => (id: number, path: string) =>
  clientPacket(type, (w) => w.uint32(id).string(path));
const handlePacket = (type: number) => (id: number, handle: Uint8Array) =>
  clientPacket(type, (w) => w.uint32(id).string(handle));

/** ATTRS fields for requests. */
export type SentAttributes = {
  readonly size?: number;
  readonly owner?: readonly [number, number];
  readonly mode?: number;
  readonly times?: readonly [number, number];
};

export function sendAttributes(w: ByteWriter, sent: SentAttributes = {}): ByteWriter {
  const { size, owner, mode, times } = sent;
  w.uint32((size === undefined ? 0 : 1) | (owner ? 2 : 0) | (mode === undefined ? 0 : 4) | (times ? 8 : 0));
  if (size !== undefined) w.uint64(size);
  if (owner) w.uint32(owner[0]).uint32(owner[1]);
  if (mode !== undefined) w.uint32(mode);
  if (times) w.uint32(times[0]).uint32(times[1]);
  return w;
}

/** Makes every request of the protocol. */
export const ask = {
  init: (version = 3) => clientPacket(messageType.init, (w) => w.uint32(version)),
  open: (id: number, path: string, flags: number, attributes?: SentAttributes) =>
    clientPacket(messageType.open, (w) =>
      sendAttributes(w.uint32(id).string(path).uint32(flags), attributes),
    ),
  close: handlePacket(messageType.close),
  read: (id: number, handle: Uint8Array, offset: number, length: number) =>
    clientPacket(messageType.read, (w) => w.uint32(id).string(handle).uint64(offset).uint32(length)),
  write: (id: number, handle: Uint8Array, offset: number, data: Uint8Array | string) =>
    clientPacket(messageType.write, (w) => w.uint32(id).string(handle).uint64(offset).string(data)),
  lstat: pathPacket(messageType.lstat),
  stat: pathPacket(messageType.stat),
  fstat: handlePacket(messageType.fstat),
  setstat: (id: number, path: string, attributes: SentAttributes) =>
    clientPacket(messageType.setstat, (w) => sendAttributes(w.uint32(id).string(path), attributes)),
  fsetstat: (id: number, handle: Uint8Array, attributes: SentAttributes) =>
    clientPacket(messageType.fsetstat, (w) => sendAttributes(w.uint32(id).string(handle), attributes)),
  opendir: pathPacket(messageType.opendir),
  readdir: handlePacket(messageType.readdir),
  remove: pathPacket(messageType.remove),
  mkdir: (id: number, path: string, attributes?: SentAttributes) =>
    clientPacket(messageType.mkdir, (w) => sendAttributes(w.uint32(id).string(path), attributes)),
  rmdir: pathPacket(messageType.rmdir),
  realpath: pathPacket(messageType.realpath),
  rename: (id: number, from: string, to: string) =>
    clientPacket(messageType.rename, (w) => w.uint32(id).string(from).string(to)),
  readlink: pathPacket(messageType.readlink),
  symlink: (id: number, from: string, to: string) =>
    clientPacket(messageType.symlink, (w) => w.uint32(id).string(from).string(to)),
  extended: (id: number, name: string, write: (writer: ByteWriter) => void = () => {}) =>
    clientPacket(messageType.extended, (w) => write(w.uint32(id).string(name))),
};

export type ReceivedAttributes = { size: number; uid: number; gid: number; mode: number; times: number[] };

/** A reply, read field by field. */
export type Received =
  | { type: 'version'; version: number; extensions: Record<string, string> }
  | { type: 'status'; id: number; code: number; text: string }
  | { type: 'handle'; id: number; handle: Uint8Array }
  | { type: 'data'; id: number; data: Uint8Array }
  | {
      type: 'name';
      id: number;
      entries: { name: string; longname: string; attributes?: ReceivedAttributes }[];
    }
  | { type: 'attrs'; id: number; attributes: ReceivedAttributes }
  | { type: 'extended'; id: number; limits: number[] };

function readReceivedAttributes(r: ByteReader): ReceivedAttributes | undefined {
  if (r.uint32() === 0) return undefined;
  return {
    size: r.uint64(),
    uid: r.uint32(),
    gid: r.uint32(),
    mode: r.uint32(),
    times: [r.uint32(), r.uint32()],
  };
}

function readReply(body: Uint8Array): Received {
  const r = new ByteReader(body);
  const type = r.uint8();
  const reply = readReplyBody(type, r);
  if (r.malformed || r.refusal || r.remaining > 0) throw new Error(`malformed reply of type ${type}`);
  return reply;
}

function readReplyBody(type: number, r: ByteReader): Received {
  if (type === messageType.version) {
    const version = r.uint32();
    const extensions: Record<string, string> = {};
    while (r.remaining > 0) extensions[r.text()] = r.text();
    return { type: 'version', version, extensions };
  }
  const id = r.uint32();
  switch (type) {
    case messageType.status: {
      const code = r.uint32();
      const text = r.text();
      r.text();
      return { type: 'status', id, code, text };
    }
    case messageType.handle:
      return { type: 'handle', id, handle: r.string().slice() };
    case messageType.data:
      return { type: 'data', id, data: r.string().slice() };
    case messageType.name: {
      const count = r.uint32();
      const entries = Array.from({ length: count }, () => {
        const entry = { name: r.text(), longname: r.text() };
        const attributes = readReceivedAttributes(r);
        return attributes ? { ...entry, attributes } : entry;
      });
      return { type: 'name', id, entries };
    }
    case messageType.attrs:
      return { type: 'attrs', id, attributes: readReceivedAttributes(r) as ReceivedAttributes };
    case messageType.extendedReply:
      return { type: 'extended', id, limits: [r.uint64(), r.uint64(), r.uint64(), r.uint64()] };
    default:
      throw new Error(`reply of type ${type}`);
  }
}

export type PeerOptions = {
  readonly files: FileSystem;
  readonly admits?: () => boolean;
  readonly limits?: Partial<SftpLimits>;
  /** `later`: replies stay in memory until `drain` is called, as with a peer that does not read. */
  readonly reads?: 'at-once' | 'later';
};

/** A client and a session joined in memory. */
export class Peer {
  readonly session: SftpSession;
  readonly replies: Received[] = [];
  readonly transfers: SftpTransfer[] = [];
  readonly errors: unknown[] = [];
  /** Bytes of replies that `later` holds back, and the most there ever were. */
  unread = 0;
  mostUnread = 0;
  credited = 0;
  given = 0;
  readonly closed: Promise<Fault | undefined>;
  readonly #framer = new PacketFramer();
  readonly #reads: 'at-once' | 'later';
  #waiting: (() => void)[] = [];
  #nextId = 1;

  constructor(options: PeerOptions) {
    this.#reads = options.reads ?? 'at-once';
    const closing = Promise.withResolvers<Fault | undefined>();
    this.closed = closing.promise;
    this.session = createSftpSession({
      files: options.files,
      admitsOperations: options.admits ?? (() => true),
      now: () => Date.UTC(2026, 10, 24),
      onTransfer: (transfer) => this.transfers.push(transfer),
      onError: (error) => this.errors.push(error),
      ...(options.limits ? { limits: options.limits } : {}),
      transport: {
        send: (packet) => this.#received(packet),
        credit: (bytes) => {
          this.credited += bytes;
        },
        close: closing.resolve,
      },
    });
  }

  #received(packet: Uint8Array): void {
    this.unread += packet.length;
    this.mostUnread = Math.max(this.mostUnread, this.unread);
    this.#framer.push(packet);
    for (;;) {
      const next = this.#framer.next();
      if (!next.ok) throw new Error('the session sent a malformed packet');
      if (!next.value) break;
      this.replies.push(readReply(next.value.body));
    }
    for (const wake of this.#waiting.splice(0)) wake();
    if (this.#reads === 'at-once') this.drain();
  }

  /** Reads everything that was held back. */
  drain(): void {
    const bytes = this.unread;
    this.unread = 0;
    this.session.sent(bytes);
  }

  give(...packets: Uint8Array[]): void {
    const bytes = concat(...packets);
    this.given += bytes.length;
    this.session.receive(bytes);
  }

  /** Waits until that many replies have come. */
  async until(count: number): Promise<Received[]> {
    while (this.replies.length < count) await new Promise<void>((wake) => this.#waiting.push(wake));
    return this.replies;
  }

  async greet(): Promise<Received> {
    this.give(ask.init());
    return (await this.until(1))[0] as Received;
  }

  /** Sends one request and waits for its reply. */
  async call(request: (id: number) => Uint8Array): Promise<Received> {
    const id = this.#nextId++;
    this.give(request(id));
    for (;;) {
      const reply = this.replies.find((candidate) => 'id' in candidate && candidate.id === id);
      if (reply) return reply;
      await new Promise<void>((wake) => this.#waiting.push(wake));
    }
  }

  /** The status code of a request's reply; -1 where the reply is no status. */
  async code(request: (id: number) => Uint8Array): Promise<number> {
    const reply = await this.call(request);
    return reply.type === 'status' ? reply.code : -1;
  }

  /** Opens and returns the handle. */
  async handle(request: (id: number) => Uint8Array): Promise<Uint8Array> {
    const reply = await this.call(request);
    if (reply.type !== 'handle') throw new Error(`no handle but ${JSON.stringify(reply)}`);
    return reply.handle;
  }
}
