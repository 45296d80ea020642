import type { Socket } from 'node:net';
import type { Protocol, Ssh2Channel } from './ssh2-internals.ts';

/** What a channel tells the one that works on it. */
export type ChannelEvents = {
  /** Bytes from the client; their window stays closed until `grant`. */
  readonly data: (chunk: Uint8Array) => void;
  /** The client sends no more. */
  readonly end: () => void;
  /** That many bytes of what was sent are in the hands of the socket. */
  readonly sent: (bytes: number) => void;
  /** The channel is gone; called once. */
  readonly closed: () => void;
};

/** What a channel tells the connection that it belongs to. */
export type ChannelOwner = {
  /** The client has sent more than its window. */
  readonly violated: () => void;
  /** ssh2 threw: the connection cannot go on. */
  readonly failed: () => void;
  readonly gone: () => void;
};

/** Window that ssh2 opens for a new channel. */
const initialWindow = 2 * 1024 * 1024;
/** Granted bytes are collected to this many before they are worth a message. */
const grantThreshold = 512 * 1024;
/** Most bytes in the socket's own buffer before we wait for it. */
const socketBacklog = 512 * 1024;

/**
 * A channel of bytes with flow control in both directions (RFC 4254 section 5.2), over ssh2's channel object:
 * ssh2 itself reads without end and ignores a full socket.
 */
export class ByteChannel {
  readonly #channel: Ssh2Channel;
  readonly #protocol: Protocol;
  readonly #socket: Socket;
  readonly #queue: Uint8Array[] = [];
  readonly #owner: ChannelOwner;
  #events: ChannelEvents | undefined;
  #queued = 0;
  /** Bytes of the head of the queue that have been sent. */
  #headSent = 0;
  #window = initialWindow;
  #granted = 0;
  #waitsForSocket = false;
  #waitsForWindow = false;
  #finishing: number | undefined;
  #gone = false;

  constructor(channel: Ssh2Channel, protocol: Protocol, socket: Socket, owner: ChannelOwner) {
    this.#owner = owner;
    this.#channel = channel;
    this.#protocol = protocol;
    this.#socket = socket;
    channel.on('error', () => {});
    channel.stderr.on('error', () => {});
    // ssh2 drops data that comes through a closed window and opens the window by itself: both are ours.
    channel.incoming.window = Number.POSITIVE_INFINITY;
    channel.push = (data) => {
      if (data === null) {
        if (channel.incoming.state === 'closed') this.gone();
        else this.#events?.end();
        return false;
      }
      this.#window -= data.length;
      if (this.#window < 0) owner.violated();
      else this.#events?.data(data);
      return false;
    };
  }

  /** Starts the flow of events. */
  open(events: ChannelEvents): void {
    this.#events = events;
  }

  /** Opens the window by that many bytes: they have left memory. */
  grant(bytes: number): void {
    this.#granted += bytes;
    if (this.#granted < grantThreshold || this.#gone) return;
    const adjustment = this.#granted;
    this.#granted = 0;
    this.#window += adjustment;
    this.#contain(() => this.#protocol.channelWindowAdjust(this.#channel.outgoing.id, adjustment));
  }

  /** Sends bytes in order, as window and socket allow; `sent` says when they have left. */
  send(bytes: Uint8Array): void {
    if (this.#gone) return;
    this.#queue.push(bytes);
    this.#queued += bytes.length;
    this.pump();
  }

  /** Sends the exit status, the end of the stream and the close, behind everything sent before. */
  finish(exitStatus: number): void {
    this.#finishing ??= exitStatus;
    this.pump();
  }

  /** Sends what can be sent now; called again when the socket has drained or a key exchange has ended. */
  pump(): void {
    this.#contain(() => this.#pump());
  }

  /** ssh2 throws when its connection has ended meanwhile; our callers are promises that nobody awaits. */
  #contain(action: () => void): void {
    try {
      action();
    } catch {
      this.#owner.failed();
    }
  }

  #pump(): void {
    const { outgoing } = this.#channel;
    while (this.#queued > 0 && !this.#gone && outgoing.state === 'open') {
      // While keys are exchanged ssh2 queues without bound.
      if (this.#protocol._kexinit !== undefined) return;
      if (this.#socket.writableLength > socketBacklog) {
        this.#awaitSocket();
        return;
      }
      if (outgoing.window <= 0) {
        this.#awaitWindow();
        return;
      }
      const payload = this.#take(Math.min(outgoing.window, outgoing.packetSize, this.#queued));
      outgoing.window -= payload.length;
      this.#protocol.channelData(outgoing.id, payload);
      this.#events?.sent(payload.length);
    }
    if (this.#queued === 0 && this.#finishing !== undefined) this.#closeDown(this.#finishing);
  }

  /** The connection or the channel has ended from the other side. */
  gone(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#queue.length = 0;
    this.#queued = 0;
    this.#owner.gone();
    this.#events?.closed();
  }

  #closeDown(exitStatus: number): void {
    if (this.#gone || this.#channel.outgoing.state !== 'open') return;
    this.#protocol.exitStatus(this.#channel.outgoing.id, exitStatus);
    this.#channel.eof();
    this.#channel.close();
  }

  #awaitSocket(): void {
    if (this.#waitsForSocket) return;
    this.#waitsForSocket = true;
    this.#socket.once('drain', () => {
      this.#waitsForSocket = false;
      this.pump();
    });
  }

  #awaitWindow(): void {
    if (this.#waitsForWindow) return;
    this.#waitsForWindow = true;
    this.#channel._chunkcb = () => {
      this.#waitsForWindow = false;
      this.pump();
    };
    this.#channel._waitWindow = true;
  }

  /** The next `length` bytes of the queue in one piece: small replies and the tail of a large one share a packet. */
  #take(length: number): Buffer {
    this.#queued -= length;
    const head = this.#queue[0] as Uint8Array;
    const rest = head.length - this.#headSent;
    if (rest >= length) {
      const view = Buffer.from(head.buffer, head.byteOffset + this.#headSent, length);
      this.#advance(length);
      return view;
    }
    const gathered = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const next = this.#queue[0] as Uint8Array;
      const part = next.subarray(this.#headSent, this.#headSent + length - filled);
      gathered.set(part, filled);
      filled += part.length;
      this.#advance(part.length);
    }
    return gathered;
  }

  #advance(bytes: number): void {
    this.#headSent += bytes;
    if (this.#headSent === (this.#queue[0] as Uint8Array).length) {
      this.#queue.shift();
      this.#headSent = 0;
    }
  }
}
