import { ReceiveWindow } from './receive-window.ts';
import type { Ssh2Channel } from './ssh2-internals.ts';
import type { TransferLane } from './transfer-lane.ts';
import type { TransferMemory } from './transfer-memory.ts';

/** What a channel tells the one that works on it. */
export type ChannelEvents = {
  /**
   * Bytes from the client; their window stays closed until `grant`. They lie in memory that changes as soon as this
   * returns.
   */
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
  readonly #lane: TransferLane;
  readonly #queue: Uint8Array[] = [];
  readonly #owner: ChannelOwner;
  #events: ChannelEvents | undefined;
  #queued = 0;
  /** Bytes of the head of the queue that have been sent. */
  #headSent = 0;
  readonly #window = new ReceiveWindow(() => performance.now());
  /** Bytes that left memory and were not granted yet. */
  #granted = 0;
  #pumpsSoon = false;
  #overrun = false;
  #waitsForSocket = false;
  #waitsForWindow = false;
  #finishing: number | undefined;
  #gone = false;

  constructor(channel: Ssh2Channel, lane: TransferLane, owner: ChannelOwner) {
    this.#owner = owner;
    this.#channel = channel;
    this.#lane = lane;
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
      this.#received(data);
      return false;
    };
    lane.listen(channel.incoming.id, (data) => {
      if (channel.incoming.state === 'open') this.#received(data);
    });
  }

  #received(data: Buffer): void {
    if (this.#overrun) return;
    if (this.#window.receive(data.length)) {
      this.#events?.data(data);
    } else {
      this.#overrun = true;
      this.#owner.violated();
    }
  }

  /** Memory that transfers share. */
  get memory(): TransferMemory {
    return this.#lane.memory;
  }

  /** Starts the flow of events. */
  open(events: ChannelEvents): void {
    this.#events = events;
  }

  /** Opens the window by that many bytes: they have left memory. */
  grant(bytes: number): void {
    this.#granted += bytes;
    if (this.#granted < grantThreshold || this.#gone) return;
    const { memory, protocol } = this.#lane;
    const adjustment = this.#window.open(this.#granted, (growth) => memory.growWindow(growth));
    this.#granted = 0;
    this.#contain(() => protocol.channelWindowAdjust(this.#channel.outgoing.id, adjustment));
  }

  /** Sends bytes in order, as window and socket allow; `sent` says when they have left. */
  send(bytes: Uint8Array): void {
    if (this.#gone) return;
    this.#queue.push(bytes);
    this.#queued += bytes.length;
    if (this.#pumpsSoon) return;
    // Small replies that are made in one turn share a packet.
    this.#pumpsSoon = true;
    queueMicrotask(() => {
      this.#pumpsSoon = false;
      this.pump();
    });
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
    const { protocol, socket, writer } = this.#lane;
    while (this.#queued > 0 && !this.#gone && outgoing.state === 'open') {
      // While keys are exchanged ssh2 queues without bound.
      if (protocol._kexinit !== undefined) return;
      if (socket.writableLength + writer.pending > socketBacklog) {
        writer.flush();
        if (socket.writableLength > socketBacklog) {
          this.#awaitSocket();
          return;
        }
      }
      if (outgoing.window <= 0) {
        this.#awaitWindow();
        break;
      }
      const length = Math.min(outgoing.window, outgoing.packetSize, this.#queued);
      outgoing.window -= length;
      this.#queued -= length;
      const more = Math.min(this.#queued, outgoing.window);
      const batched = writer.data(outgoing.id, length, more, (packet, at) =>
        this.#takeInto(packet, at, length),
      );
      if (!batched) {
        const payload = Buffer.allocUnsafe(length);
        this.#takeInto(payload, 0, length);
        protocol.channelData(outgoing.id, payload);
      }
      this.#events?.sent(length);
    }
    writer.flush();
    if (this.#queued === 0 && this.#finishing !== undefined) this.#closeDown(this.#finishing);
  }

  /** The connection or the channel has ended from the other side. */
  gone(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#lane.leave(this.#channel.incoming.id);
    this.#lane.memory.shrinkWindow(this.#window.grown);
    this.#queue.length = 0;
    this.#queued = 0;
    this.#owner.gone();
    this.#events?.closed();
  }

  #closeDown(exitStatus: number): void {
    if (this.#gone || this.#channel.outgoing.state !== 'open') return;
    this.#lane.protocol.exitStatus(this.#channel.outgoing.id, exitStatus);
    this.#channel.eof();
    this.#channel.close();
  }

  #awaitSocket(): void {
    if (this.#waitsForSocket) return;
    this.#waitsForSocket = true;
    this.#lane.socket.once('drain', () => {
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

  /** Takes `length` bytes from the queue: small replies and the tail of a large one share a packet. */
  #takeInto(target: Uint8Array, at: number, length: number): void {
    const end = at + length;
    while (at < end) {
      const head = this.#queue[0] as Uint8Array;
      const part = head.subarray(this.#headSent, this.#headSent + end - at);
      target.set(part, at);
      at += part.length;
      this.#advance(part.length);
    }
  }

  #advance(bytes: number): void {
    this.#headSent += bytes;
    if (this.#headSent === (this.#queue[0] as Uint8Array).length) {
      this.#queue.shift();
      this.#headSent = 0;
    }
  }
}
