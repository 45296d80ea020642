import type { Socket } from 'node:net';
import { PacketReader } from './packet-reader.ts';
import { PacketWriter } from './packet-writer.ts';
import type { Protocol, Ssh2Client } from './ssh2-internals.ts';
import type { TransferMemory } from './transfer-memory.ts';

/** Takes the data of one channel; they lie in memory that changes as soon as it returns. */
export type DataSink = (data: Buffer) => void;

/**
 * The way of channel data through one connection, past what ssh2 would do with each packet.
 * Before the first channel opens there is nothing of it: whoever is not logged in is read by ssh2 alone.
 */
export class TransferLane {
  readonly protocol: Protocol;
  readonly socket: Socket;
  readonly memory: TransferMemory;
  readonly writer: PacketWriter;
  readonly #client: Ssh2Client;
  readonly #sinks = new Map<number, DataSink>();
  #reader: PacketReader | undefined;

  constructor(client: Ssh2Client, memory: TransferMemory) {
    this.#client = client;
    this.protocol = client._protocol;
    this.socket = client._sock;
    this.memory = memory;
    this.writer = new PacketWriter(this.protocol, this.socket, memory);
  }

  /** Sends the data of a channel, by our number of it, to `sink` from now on. */
  listen(channel: number, sink: DataSink): void {
    this.#sinks.set(channel, sink);
    if (this.#reader) return;
    this.#reader = new PacketReader(this.#client, this.memory, (recipient, data) => {
      const listening = this.#sinks.get(recipient);
      listening?.(data);
      return listening !== undefined;
    });
    this.#reader.start();
  }

  leave(channel: number): void {
    this.#sinks.delete(channel);
  }
}
