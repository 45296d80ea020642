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
export type KexOffer = object;

type KexLists = { cipher: string[]; mac: string[]; compress: string[]; lang: string[] };

const { KexInit } = require('ssh2/lib/protocol/kex.js') as {
  KexInit: new (lists: { kex: string[]; serverHostKey: string[]; cs: KexLists; sc: KexLists }) => KexOffer;
};

/** Builds the offer of a server, with the marker of strict key exchange (OpenSSH PROTOCOL section 1.10). */
export function kexOffer(lists: {
  readonly kex: readonly string[];
  readonly hostKeys: readonly string[];
  readonly ciphers: readonly string[];
  readonly macs: readonly string[];
}): KexOffer {
  const direction = { cipher: [...lists.ciphers], mac: [...lists.macs], compress: ['none'], lang: [] };
  return new KexInit({
    kex: [...lists.kex, 'kex-strict-s-v00@openssh.com'],
    serverHostKey: [...lists.hostKeys],
    cs: direction,
    sc: direction,
  });
}

/** The protocol object of one connection. */
export type Protocol = {
  _offer: KexOffer;
  /** Set from our KEXINIT until the keys are exchanged. */
  _kexinit: Buffer | undefined;
  _kex: { remoteExtInfoEnabled: boolean };
  /** Packets that wait for the end of a key exchange. */
  _queue: unknown[] | undefined;
  _onHandshakeComplete: (...negotiated: unknown[]) => void;
  _cipher: { encrypt(packet: Buffer): void };
  readonly _packetRW: {
    readonly write: {
      readonly allocStart: number;
      alloc(payloadLength: number): Buffer;
      finalize(packet: Buffer): Buffer;
    };
  };
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
