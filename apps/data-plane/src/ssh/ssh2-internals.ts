import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import type { AuthContext, Connection } from 'ssh2';

// What we use of ssh2 1.17.0 beyond its documented interface. The version is pinned exactly and the tests of this
// folder run real clients through every one of these: a change in ssh2 shows there.

const require = createRequire(import.meta.url);

/** Message numbers (RFC 8308 section 2.3). */
export const extInfoMessage = 7;

/** Reason codes of SSH_MSG_DISCONNECT (RFC 4253 section 11.1). */
export const disconnectReason = {
  protocolError: 2,
  serviceNotAvailable: 7,
  byApplication: 11,
  tooManyConnections: 12,
  noMoreAuthMethods: 14,
} as const;

/** Algorithm lists of one KEXINIT, encoded once and shared by connections. */
export type KexOffer = {
  readonly lists: {
    readonly kex: { readonly array: readonly string[] };
    readonly serverHostKey: { readonly array: readonly string[] };
  };
};

type KexLists = { cipher: string[]; mac: string[]; compress: string[]; lang: string[] };

const { KexInit, kexinit } = require('ssh2/lib/protocol/kex.js') as {
  KexInit: new (lists: { kex: string[]; serverHostKey: string[]; cs: KexLists; sc: KexLists }) => KexOffer;
  kexinit: (protocol: Protocol) => void;
};

/** Sends our KEXINIT, as ssh2 does by itself where the client begins a key exchange. */
export const sendKexInit = (protocol: Protocol): void => kexinit(protocol);

const { sendPacket } = require('ssh2/lib/protocol/utils.js') as {
  sendPacket: (protocol: Protocol, packet: Buffer) => boolean;
};

/**
 * Sends a message that ssh2 has no method for; during a key exchange it waits for the end.
 *
 * @param payload with its message number
 */
export function sendMessage(protocol: Protocol, payload: Uint8Array): void {
  const { write } = protocol._packetRW;
  const start = write.allocStart;
  const packet = write.alloc(payload.length);
  packet.set(payload, start);
  sendPacket(protocol, write.finalize(packet));
}

const strictKex = 'kex-strict-s-v00@openssh.com';

/** An offer for ssh2's own reading that has one key exchange only; it is never sent. */
export const kexOnly = (offer: KexOffer, name: string): KexOffer => ({
  ...offer,
  lists: { ...offer.lists, kex: { array: [name, strictKex] } },
});

/** Builds the offer of a server, with the marker of strict key exchange (OpenSSH PROTOCOL section 1.10). */
export function kexOffer(lists: {
  readonly kex: readonly string[];
  readonly hostKeys: readonly string[];
  readonly ciphers: readonly string[];
  readonly macs: readonly string[];
}): KexOffer {
  const direction = { cipher: [...lists.ciphers], mac: [...lists.macs], compress: ['none'], lang: [] };
  return new KexInit({
    kex: [...lists.kex, strictKex],
    serverHostKey: [...lists.hostKeys],
    cs: direction,
    sc: direction,
  });
}

/** The algorithms that both sides agreed on. */
export type Negotiated = {
  kex: string;
  readonly serverHostKey: string;
  readonly cs: { readonly cipher: string; readonly mac: string };
  readonly sc: { readonly cipher: string; readonly mac: string };
};

/** One key exchange under way. */
export type KeyExchange = {
  remoteExtInfoEnabled: boolean;
  /** H of the first exchange (RFC 4253 section 7.2), from its end on. */
  readonly sessionID: Buffer | undefined;
  readonly negotiated: Negotiated;
  hashName: string;
  _remoteKexinit: Buffer;
  convertPublicKey: (share: Buffer) => Buffer;
  computeSecret: (share: Buffer) => Buffer | Error;
  getPublicKey: () => Buffer;
};

/** The protocol object of one connection. */
export type Protocol = {
  _offer: KexOffer;
  /** Set from our KEXINIT until the keys are exchanged. */
  _kexinit: Buffer | undefined;
  _kex: KeyExchange | undefined;
  /** The next packet of the client is a guess that was wrong. */
  _skipNextInboundPacket: boolean;
  /** Until the first keys are in use it reads clear packets; then each exchange makes another one. */
  readonly _decipher: { _onPayload: (payload: Buffer) => unknown };
  _onPayload: (payload: Buffer) => unknown;
  /** Packets that wait for the end of a key exchange. */
  _queue: unknown[] | undefined;
  readonly _handlers: {
    GLOBAL_REQUEST: (protocol: Protocol, name: string, wantReply: boolean, data: unknown) => void;
    SERVICE_REQUEST: (protocol: Protocol, service: string) => void;
  };
  _onHandshakeComplete: (negotiated: Negotiated) => void;
  _cipher: { encrypt(packet: Buffer): void };
  readonly _packetRW: {
    readonly write: {
      readonly allocStart: number;
      alloc(payloadLength: number): Buffer;
      finalize(packet: Buffer): Buffer;
    };
  };
  requestSuccess(data: Buffer): void;
  requestFailure(): void;
  serviceAccept(service: string): void;
  authPKOK(algorithm: string, key: Buffer): void;
  channelData(channel: number, data: Buffer): void;
  channelWindowAdjust(channel: number, bytes: number): void;
  exitStatus(channel: number, status: number): void;
  disconnect(reason: number): void;
};

/** One side of a channel's state. */
type ChannelSide = { id: number; window: number; packetSize: number; state: string };

export type Ssh2Channel = {
  readonly incoming: ChannelSide;
  readonly outgoing: ChannelSide;
  push: (data: Buffer | null) => boolean;
  /** Set with `_chunkcb`: called once the peer has opened its window. */
  _waitWindow: boolean;
  _chunk: undefined;
  _chunkcb: (() => void) | undefined;
  on(event: 'error', listener: (error: Error) => void): void;
  readonly stderr: { on(event: 'error', listener: (error: Error) => void): void };
  eof(): void;
  close(): void;
};

export type Ssh2Session = {
  readonly _chanInfo: { readonly outgoing: ChannelSide };
  on(event: 'close', listener: () => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
  on(
    event: 'subsystem',
    listener: (
      accept: () => Ssh2Channel | undefined,
      reject: (() => void) | undefined,
      info: { name: string },
    ) => void,
  ): void;
  on(
    event: 'exec',
    listener: (
      accept: () => Ssh2Channel | undefined,
      reject: (() => void) | undefined,
      info: { command: string },
    ) => void,
  ): void;
};

export type Ssh2Client = Connection & {
  readonly _sock: Socket;
  readonly _protocol: Protocol;
  readonly authenticated: boolean;
};

/** Fields of an authentication context that the typings leave out. */
export type Ssh2AuthContext = AuthContext & {
  _initialResponse: boolean;
  readonly _protocol: Protocol;
};
