import type { Socket } from 'node:net';
import { type InboundCipher, missingBytes, type PacketOpener, packetOpener } from './cipher-internals.ts';
import type { Protocol, Ssh2Client } from './ssh2-internals.ts';
import type { TransferMemory } from './transfer-memory.ts';

const channelDataMessage = 94;
const nothing = Buffer.alloc(0);

type ReadingProtocol = Protocol & {
  readonly _decipher: InboundCipher;
  readonly _onPayload: (payload: Buffer) => unknown;
  readonly _onPacket: () => void;
  /** Absent once ssh2 has given the connection up. */
  readonly _destruct: unknown;
  parse(chunk: Buffer, from: number, to: number): void;
};

/** Takes the data of a channel, which lie in memory that changes afterwards; false where it has no such channel. */
export type ChannelData = (channel: number, data: Buffer) => boolean;

/** What Node keeps of the option `onread`, which it takes for sockets that it makes itself alone. */
type ReadableHandle = { useUserBuffer?(buffer: Uint8Array): void };
type SocketSymbols = { readonly buffer: symbol; readonly callback: symbol };

function readSymbols(socket: Socket): SocketSymbols | undefined {
  const symbols = Object.getOwnPropertySymbols(socket);
  const named = (name: string) => symbols.find((symbol) => symbol.description === name);
  const [buffer, callback] = [named('kBuffer'), named('kBufferCb')];
  return buffer && callback ? { buffer, callback } : undefined;
}

/**
 * Has a socket read into a given buffer from now on in place of a fresh one each time. Needs a socket that flows and
 * holds nothing back.
 *
 * @returns false where this Node does not let us: the socket goes on as before
 */
export function readInto(socket: Socket, buffer: Buffer, onBytes: (count: number) => void): boolean {
  const handle = (socket as Socket & { readonly _handle?: ReadableHandle | null })._handle;
  const symbols = readSymbols(socket);
  if (!handle?.useUserBuffer || !symbols || socket.readableLength > 0) return false;
  handle.useUserBuffer(buffer);
  Object.assign(socket, {
    [symbols.buffer]: buffer,
    [symbols.callback]: (count: number) => {
      onBytes(count);
      return true;
    },
  });
  return true;
}

/**
 * Reads the packets of a logged-in connection in place of ssh2: from one buffer that all connections share, without a
 * copy and without a new object for each piece. Data of channels go straight to them; every other message, and every
 * cipher that is not AEAD on the native binding, is ssh2's as before.
 */
export class PacketReader {
  readonly #client: Ssh2Client;
  readonly #protocol: ReadingProtocol;
  readonly #socket: Socket;
  readonly #memory: TransferMemory;
  readonly #data: ChannelData;
  #openerOf: { readonly cipher: InboundCipher; readonly opener: PacketOpener | undefined } | undefined;
  /** The beginning of a packet whose rest has not come. */
  #carry: Buffer = nothing;

  constructor(client: Ssh2Client, memory: TransferMemory, data: ChannelData) {
    this.#client = client;
    this.#protocol = client._protocol as ReadingProtocol;
    this.#socket = client._sock;
    this.#memory = memory;
    this.#data = data;
  }

  /** Takes over from ssh2 once it is done with the bytes that it has. Nothing changes where Node does not let us. */
  start(): void {
    setImmediate(() => {
      if (this.#socket.destroyed) return;
      const { reading, readFrom } = this.#memory;
      readInto(this.#socket, reading.subarray(readFrom), (count) => {
        this.#received(count);
        // Whoever watches the socket sees that something came.
        this.#socket.emit('data', nothing);
      });
    });
  }

  #received(count: number): void {
    const { reading, readFrom } = this.#memory;
    const from = readFrom - this.#carry.length;
    reading.set(this.#carry, from);
    const end = readFrom + count;
    try {
      const rest = this.#consume(reading, from, end);
      this.#carry = rest === end ? nothing : Buffer.from(reading.subarray(rest, end));
    } catch (error) {
      this.#carry = nothing;
      this.#client.emit('error', error as Error);
      if (this.#socket.writable) this.#socket.end();
    }
  }

  /** Works on bytes from `at` to `end`; where the first one stands that was not used. */
  #consume(bytes: Buffer, at: number, end: number): number {
    while (at < end) {
      // Its ciphers are freed with it.
      if (this.#protocol._destruct === undefined) return end;
      const cipher = this.#protocol._decipher;
      const opener = this.#openerFor(cipher);
      // ssh2 keeps what it is given.
      const begun = opener ? Math.min(missingBytes(cipher), end - at) : end - at;
      if (begun > 0) {
        this.#protocol.parse(Buffer.from(bytes.subarray(at, at + begun)), 0, begun);
        at += begun;
        continue;
      }
      if (!opener || end - at < 4) return at;
      const length = opener.length(bytes, at);
      const whole = 4 + length + opener.macBytes;
      if (end - at < whole) return at;
      opener.open(bytes, at, length);
      cipher.inSeqno = (cipher.inSeqno + 1) >>> 0;
      const payloadEnd = at + 4 + length - (bytes[at + 4] as number);
      if (payloadEnd < at + 5) throw new Error('Bad padding length');
      const answer = this.#dispatch(cipher, bytes, at + 5, payloadEnd);
      if (typeof answer === 'number') return end;
      at += whole;
    }
    return at;
  }

  #openerFor(cipher: InboundCipher): PacketOpener | undefined {
    if (this.#openerOf?.cipher !== cipher) this.#openerOf = { cipher, opener: packetOpener(cipher) };
    return this.#openerOf.opener;
  }

  #dispatch(cipher: InboundCipher, bytes: Buffer, at: number, end: number): number | false | undefined {
    const protocol = this.#protocol;
    // During a key exchange ssh2 has put its own judge there.
    if (bytes[at] === channelDataMessage && end - at >= 9 && cipher._onPayload === protocol._onPayload) {
      const length = bytes.readUInt32BE(at + 5);
      const data = bytes.subarray(at + 9, at + 9 + length);
      if (length <= end - at - 9 && this.#data(bytes.readUInt32BE(at + 1), data)) {
        protocol._onPacket();
        return undefined;
      }
    }
    return cipher._onPayload(Buffer.from(bytes.subarray(at, end)));
  }
}
