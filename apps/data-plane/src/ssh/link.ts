import type { Socket } from 'node:net';
import { authExchange } from './auth-exchange.ts';
import type { AuthExchange } from './authentication.ts';
import { ByteChannel } from './channel.ts';
import { prepareAnnouncement } from './host-key-announcement.ts';
import type { HostKey } from './host-keys.ts';
import type { HybridKem } from './hybrid-kem.ts';
import { leadKeyExchange } from './key-exchange.ts';
import type { OfferedAlgorithms } from './negotiation.ts';
import { repeatServiceRequests } from './service-requests.ts';
import {
  disconnectReason,
  extInfoMessage,
  type KexOffer,
  type Negotiated,
  type Protocol,
  type Ssh2AuthContext,
  type Ssh2Channel,
  type Ssh2Client,
  type Ssh2Session,
  sendMessage,
} from './ssh2-internals.ts';
import { TransferLane } from './transfer-lane.ts';
import type { TransferMemory } from './transfer-memory.ts';
import { sshField } from './wire.ts';

/** What every connection of an engine shares. */
export type LinkOptions = {
  readonly offer: KexOffer;
  readonly hybrids: ReadonlyMap<string, HybridKem>;
  /** Signature algorithms that a client's key may use. */
  readonly clientKeys: readonly string[];
  readonly hostKeys: readonly HostKey[];
  readonly rekey: RekeyLimits;
  readonly memory: TransferMemory;
};

/** New keys after so many bytes in both directions together, or after so long (RFC 4253 section 9). */
export type RekeyLimits = { readonly bytes: number; readonly ms: number };

/** What a client does, once it has said what it is. */
export type LinkEvents = {
  /** Its identification line. */
  readonly identified: (line: string) => void;
  /** Its first offer of algorithms, before anything is made of it. */
  readonly offered: (offered: OfferedAlgorithms) => void;
  /** Its first key exchange is done. */
  readonly negotiated: (negotiated: Negotiated) => void;
  /** A logged-in client has had these host keys proved. */
  readonly hostKeysProved: (fingerprints: readonly string[]) => void;
  readonly authentication: (exchange: AuthExchange) => void;
  /**
   * A logged-in client asks for a subsystem. Called at once, and the channel is opened only by `accept`;
   * everything else that a session channel can ask for is refused.
   */
  readonly subsystem: (name: string, accept: () => ByteChannel | undefined) => void;
  /** A logged-in client asks for a command to be run; likewise. */
  readonly exec: (command: string, accept: () => ByteChannel | undefined) => void;
};

/** Session channels that one connection may hold (as OpenSSH's MaxSessions). */
const maxSessions = 10;
/** Below this a client's packets are not worth their headers. */
const smallestPacket = 256;
/** A key exchange that takes longer is given up: meanwhile replies pile up. */
const keyExchangeMs = 30_000;
/** Replies that ssh2 makes by itself may pile up to this before we stop reading. */
const readPauseBacklog = 2 * 1024 * 1024;
/** After a disconnect a client that does not read gets this long. */
const lingerMs = 2_000;

/** EXT_INFO with the signature algorithms that we take: ssh2's own list is wrong (RFC 8308 sections 2.3 and 3.1). */
const extInfo = (clientKeys: readonly string[]): Buffer =>
  Buffer.concat([
    Buffer.from([extInfoMessage, 0, 0, 0, 1]),
    sshField('server-sig-algs'),
    sshField(clientKeys.join(',')),
  ]);

/**
 * One client of the engine, from its identification string on. Repairs what ssh2 leaves to its user: the offer
 * without SHA-1, `server-sig-algs`, new keys in time, and bounds on what piles up in memory.
 */
export class SshLink {
  readonly #client: Ssh2Client;
  readonly #protocol: Protocol;
  readonly #socket: Socket;
  readonly #events: LinkEvents;
  readonly #options: LinkOptions;
  readonly #channels = new Set<ByteChannel>();
  readonly #lane: TransferLane;
  #sessions = 0;
  #keyedAtBytes = 0;
  #keyExchangeTimer: NodeJS.Timeout | undefined;
  #rekeyTimer: NodeJS.Timeout | undefined;
  #clientHostKeys: readonly string[] = [];

  /** To be made while ssh2 announces the client: its key exchange has not begun. */
  constructor(client: Ssh2Client, options: LinkOptions, events: LinkEvents) {
    this.#options = options;
    this.#client = client;
    this.#protocol = client._protocol;
    this.#socket = client._sock;
    this.#events = events;
    this.#lane = new TransferLane(client, options.memory);
    client.on('error', () => this.#linger());
    client.on('authentication', (context) =>
      events.authentication(authExchange(context as Ssh2AuthContext, client, options.clientKeys)),
    );
    client.on('session', (accept, reject) => this.#session(accept as () => unknown, reject));
    leadKeyExchange(this.#protocol, {
      offer: options.offer,
      hybrids: options.hybrids,
      onOffered: (offered) => {
        this.#clientHostKeys = offered.hostKeys;
        events.offered(offered);
      },
    });
    this.#followKeyExchanges();
    this.#announceHostKeys();
    repeatServiceRequests(this.#protocol, () => client.authenticated);
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

  #followKeyExchanges(): void {
    const protocol = this.#protocol;
    const complete = protocol._onHandshakeComplete;
    let first = true;
    protocol._onHandshakeComplete = (negotiated) => {
      const kex = protocol._kex;
      if (first && kex) {
        first = false;
        const wanted = kex.remoteExtInfoEnabled;
        kex.remoteExtInfoEnabled = false;
        if (wanted) sendMessage(protocol, extInfo(this.#options.clientKeys));
        this.#events.negotiated(negotiated);
      }
      complete(negotiated);
      clearTimeout(this.#keyExchangeTimer);
      this.#keyExchangeTimer = undefined;
      this.#keyedAtBytes = this.#socket.bytesRead + this.#socket.bytesWritten;
      clearTimeout(this.#rekeyTimer);
      this.#rekeyTimer = setTimeout(() => this.#rekey(), this.#options.rekey.ms);
      for (const channel of this.#channels) channel.pump();
    };
  }

  /** Asks for new keys; before the login there is nothing yet that would need them. */
  #rekey(): void {
    if (!this.#client.authenticated || this.#socket.destroyed) return;
    this.#client.rekey();
    this.#keyExchangeTimer ??= setTimeout(() => this.#socket.destroy(), keyExchangeMs);
  }

  #announceHostKeys(): void {
    const announce = prepareAnnouncement(this.#protocol, {
      keys: this.#options.hostKeys,
      clientAlgorithms: () => this.#clientHostKeys,
      authenticated: () => this.#client.authenticated,
      onProved: (fingerprints) => this.#events.hostKeysProved(fingerprints),
    });
    this.#client.once('ready', announce);
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
      } else if (socket.bytesRead + socket.bytesWritten - this.#keyedAtBytes > this.#options.rekey.bytes) {
        this.#rekey();
      }
    });
    socket.once('close', () => {
      clearTimeout(this.#keyExchangeTimer);
      clearTimeout(this.#rekeyTimer);
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
    session.on('subsystem', (acceptSubsystem, rejectSubsystem, { name }) =>
      this.#offer(session, acceptSubsystem, rejectSubsystem, (accept) =>
        this.#events.subsystem(name, accept),
      ),
    );
    session.on('exec', (acceptExec, rejectExec, { command }) =>
      this.#offer(session, acceptExec, rejectExec, (accept) => this.#events.exec(command, accept)),
    );
  }

  /** Offers a request of a session to whoever may open its channel; refuses it where nobody does. */
  #offer(
    session: Ssh2Session,
    open: () => Ssh2Channel | undefined,
    reject: (() => void) | undefined,
    request: (accept: () => ByteChannel | undefined) => void,
  ): void {
    let accepted = false;
    request(() => {
      const { packetSize, window } = session._chanInfo.outgoing;
      if (!(packetSize >= smallestPacket) || typeof window !== 'number') return undefined;
      const raw = open();
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
    if (!accepted) reject?.();
  }
}
