import type { Socket } from 'node:net';
import { type OutboundCipher, outboundLayout, type PacketLayout } from './cipher-internals.ts';
import type { Protocol } from './ssh2-internals.ts';
import type { TransferMemory } from './transfer-memory.ts';

const channelDataMessage = 94;
/** Length and padding length; message number, channel and length of the data (RFC 4253 section 6, 4254 section 5.2). */
const packetHeader = 5;
const dataHeader = 9;
const smallestPadding = 4;
/** Batches below this get a buffer of their own size. */
const worthPooling = 32_768;

/**
 * Sends SSH_MSG_CHANNEL_DATA in batches: packets are put together and encrypted in one buffer that is used again, and
 * go to the socket in one write. ssh2 makes a buffer, a draw of random bytes and a write for each.
 *
 * A batch is begun and sent without giving way to anything else: no other packet can come in between.
 */
export class PacketWriter {
  readonly #protocol: Protocol & { readonly _cipher: OutboundCipher };
  readonly #socket: Socket;
  readonly #memory: TransferMemory;
  #layoutOf: { readonly cipher: OutboundCipher; readonly layout: PacketLayout | undefined } | undefined;
  #buffer: Buffer | undefined;
  #used = 0;

  constructor(protocol: Protocol, socket: Socket, memory: TransferMemory) {
    this.#protocol = protocol as Protocol & { readonly _cipher: OutboundCipher };
    this.#socket = socket;
    this.#memory = memory;
  }

  /** Bytes of the batch that is not written yet. */
  get pending(): number {
    return this.#used;
  }

  get #layout(): PacketLayout | undefined {
    const cipher = this.#protocol._cipher;
    if (this.#layoutOf?.cipher !== cipher) this.#layoutOf = { cipher, layout: outboundLayout(cipher) };
    return cipher._dead ? undefined : this.#layoutOf.layout;
  }

  /**
   * Adds one packet to the batch; writes the batch first where it has no room.
   *
   * @param length bytes of data
   * @param more bytes that will follow it, as far as is known: decides how large the batch becomes
   * @param fill puts the data into `packet` from `at` on
   * @returns false where the cipher is none that we know: nothing was done
   */
  data(channel: number, length: number, more: number, fill: (packet: Buffer, at: number) => void): boolean {
    const layout = this.#layout;
    if (!layout) return false;
    const unpadded = packetHeader + dataHeader + length;
    let padding = layout.block - ((unpadded - layout.unpaddedPrefix) % layout.block);
    if (padding < smallestPadding) padding += layout.block;
    const end = unpadded + padding + layout.mac;
    if (this.#buffer && this.#buffer.length - this.#used < end) this.flush();
    this.#buffer ??=
      end + more > worthPooling && end <= this.#memory.writeBytes
        ? this.#memory.takeWriteBuffer()
        : Buffer.allocUnsafe(end + more + 64);
    const packet = this.#buffer.subarray(this.#used, this.#used + end);
    packet.writeUInt32BE(end - layout.mac - 4, 0);
    packet[4] = padding;
    packet[5] = channelDataMessage;
    packet.writeUInt32BE(channel, 6);
    packet.writeUInt32BE(length, 10);
    fill(packet, packetHeader + dataHeader);
    this.#memory.padding.fill(packet, unpadded, padding);
    const cipher = this.#protocol._cipher;
    cipher._instance?.encrypt(packet, cipher.outSeqno);
    cipher.outSeqno = (cipher.outSeqno + 1) >>> 0;
    this.#used += end;
    return true;
  }

  /** Writes what is in the batch. */
  flush(): void {
    const buffer = this.#buffer;
    if (!buffer) return;
    const batch = buffer.subarray(0, this.#used);
    this.#buffer = undefined;
    this.#used = 0;
    const pooled = buffer.length === this.#memory.writeBytes;
    if (!this.#socket.writable) return;
    this.#socket.write(batch, () => {
      if (pooled) this.#memory.giveWriteBuffer(buffer);
    });
  }
}
