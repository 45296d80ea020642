import type { Socket } from 'node:net';
import { clientSignatureAlgorithms } from './algorithms.ts';
import { authExchange } from './auth-exchange.ts';
import type { AuthExchange } from './authentication.ts';
import { ByteChannel } from './channel.ts';
import {
  disconnectReason,
  extInfoMessage,
  type KexOffer,
  type Protocol,
  type Ssh2AuthContext,
  type Ssh2Client,
  type Ssh2Session,
} from './ssh2-internals.ts';
import { TransferLane } from './transfer-lane.ts';
import type { TransferMemory } from './transfer-memory.ts';

/** What a client does, once it has said who it is. */
export type LinkEvents = {
  readonly authentication: (exchange: AuthExchange) => void;
  /**
   * A logged-in client asks for a subsystem. Called at once, and the channel is opened only by `accept`;
   * everything else that a session channel can ask for is refused.
   */
  readonly subsystem: (name: string, accept: () => ByteChannel | undefined) => void;
};

/** Session channels that one connection may hold (as OpenSSH's MaxSessions). */
const maxSessions = 10;
/** Below this a client's packets are not worth their headers. */
const smallestPacket = 256;
/** New keys after this many bytes in both directions together (RFC 4253 section 9). */
const rekeyAfterBytes = 1024 ** 3;
/** A key exchange that takes longer is given up: meanwhile replies pile up. */
const keyExchangeMs = 30_000;
/** Replies that ssh2 makes by itself may pile up to this before we stop reading. */
const readPauseBacklog = 2 * 1024 * 1024;
/** After a disconnect a client that does not read gets this long. */
const lingerMs = 2_000;

/** EXT_INFO with the signature algorithms that we take: ssh2's own list is wrong (RFC 8308 sections 2.3 and 3.1). */
function sendExtInfo(protocol: Protocol): void {
  const field = (text: string): Buffer => {
    const bytes = Buffer.alloc(4 + text.length);
    bytes.writeUInt32BE(text.length);
    bytes.write(text, 4, 'latin1');
    return bytes;
  };
  const payload = Buffer.concat([
    Buffer.from([extInfoMessage, 0, 0, 0, 1]),
    field('server-sig-algs'),
    field(clientSignatureAlgorithms.join(',')),
  ]);
  const { write } = protocol._packetRW;
  const packet = write.alloc(payload.length);
  packet.set(payload, write.allocStart);
  protocol._cipher.encrypt(write.finalize(packet));
}

/**
 * One client of the engine, from its identification string on. Repairs what ssh2 leaves to its user: the offer
 * without SHA-1, `server-sig-algs`, new keys in time, and bounds on what piles up in memory.
 */
export class SshLink {
  readonly #client: Ssh2Client;
  readonly #protocol: Protocol;
  readonly #socket: Socket;
  readonly #events: LinkEvents;
  readonly #channels = new Set<ByteChannel>();
  readonly #lane: TransferLane;
  #sessions = 0;
  #keyedAtBytes = 0;
  #keyExchangeTimer: NodeJS.Timeout | undefined;

  /** To be made while ssh2 announces the client: its key exchange has not begun. */
  constructor(client: Ssh2Client, offer: KexOffer, memory: TransferMemory, events: LinkEvents) {
    this.#client = client;
    this.#protocol = client._protocol;
    this.#socket = client._sock;
    this.#events = events;
    this.#lane = new TransferLane(client, memory);
    client.on('error', () => this.#linger());
    client.on('authentication', (context) =>
      events.authentication(authExchange(context as Ssh2AuthContext, client)),
    );
    client.on('session', (accept, reject) => this.#session(accept as () => unknown, reject));
    this.#prepareKeyExchange(offer);
    this.#boundMemory();
  }

  /** Says goodbye with a reason code of RFC 4253 section 11.1 and closes the connection. */
  disconnect(reason: keyof typeof disconnectReason): void {
    try {
      this.#protocol.disconnect(disconnectReason[reason]);
      this.#socket.end();
    } catch {
      this.#socket.destroy();
    }
    this.#linger();
  }

  #linger(): void {
    if (this.#socket.destroyed) return;
    const timer = setTimeout(() => this.#socket.destroy(), lingerMs);
    this.#socket.once('close', () => clearTimeout(timer));
  }

  #prepareKeyExchange(offer: KexOffer): void {
    const protocol = this.#protocol;
    protocol._offer = offer;
    const complete = protocol._onHandshakeComplete;
    let first = true;
    protocol._onHandshakeComplete = (...negotiated) => {
      if (first) {
        first = false;
        const wanted = protocol._kex.remoteExtInfoEnabled;
        protocol._kex.remoteExtInfoEnabled = false;
        if (wanted) sendExtInfo(protocol);
      }
      complete(...negotiated);
      clearTimeout(this.#keyExchangeTimer);
      this.#keyExchangeTimer = undefined;
      this.#keyedAtBytes = this.#socket.bytesRead + this.#socket.bytesWritten;
      for (const channel of this.#channels) channel.pump();
    };
  }

  #boundMemory(): void {
    const socket = this.#socket;
    socket.on('data', () => {
      if (socket.writableLength > readPauseBacklog && !socket.isPaused()) {
        socket.pause();
        socket.once('drain', () => socket.resume());
      }
      if (this.#protocol._kexinit !== undefined) {
        this.#keyExchangeTimer ??= setTimeout(() => socket.destroy(), keyExchangeMs);
      } else if (
        this.#client.authenticated &&
        socket.bytesRead + socket.bytesWritten - this.#keyedAtBytes > rekeyAfterBytes
      ) {
        this.#client.rekey();
      }
    });
    socket.once('close', () => {
      clearTimeout(this.#keyExchangeTimer);
      for (const channel of this.#channels) channel.gone();
    });
  }

  #session(accept: () => unknown, reject: () => void): void {
    if (this.#sessions >= maxSessions) {
      reject();
      return;
    }
    const session = accept() as Ssh2Session | undefined;
    if (!session) return;
    this.#sessions++;
    session.on('error', () => {});
    session.on('close', () => {
      this.#sessions--;
    });
    session.on('subsystem', (acceptSubsystem, rejectSubsystem, { name }) => {
      let accepted = false;
      this.#events.subsystem(name, () => {
        const { packetSize, window } = session._chanInfo.outgoing;
        if (!(packetSize >= smallestPacket) || typeof window !== 'number') return undefined;
        const raw = acceptSubsystem();
        if (!raw) return undefined;
        accepted = true;
        const channel = new ByteChannel(raw, this.#lane, {
          violated: () => this.disconnect('protocolError'),
          failed: () => this.#socket.destroy(),
          gone: () => this.#channels.delete(channel),
        });
        this.#channels.add(channel);
        return channel;
      });
      if (!accepted) rejectSubsystem?.();
    });
  }
}
