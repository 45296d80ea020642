import { randomUUID } from 'node:crypto';
import type { Notice } from '../adapter.ts';
import type { EventDetail } from '../event-detail.ts';
import { negotiated, type OfferedAlgorithms } from './negotiation.ts';
import type { Negotiated } from './ssh2-internals.ts';

/** The server's side of a negotiation, for the reason why there was none. */
export type ServerAlgorithms = {
  readonly kex: readonly string[];
  readonly hostKeys: readonly string[];
  readonly ciphers: readonly string[];
  readonly macs: readonly string[];
};

/** Longest text of one fact in an event. */
const longest = 4_096;
/** Ciphers that authenticate by themselves: what is agreed on as MAC is not used with them. */
const authenticated = /gcm|poly1305/;

/** Puts something about one connection into the event log. */
export type ConnectionNotice = (told: Omit<Notice, 'server' | 'source'>) => void;

/** The engine that serves the connection. */
export type RecordedEngine = {
  readonly algorithms: ServerAlgorithms;
  hostKeyFor(algorithm: string): string | undefined;
};

/**
 * What is told of one connection in the event log: what its client is and offers, what was agreed on, or why nothing
 * was. One event for each connection that says something; a connection that says nothing, as health checks do, has none.
 */
export class ConnectionRecord {
  /** Names the connection in this and in its login events. */
  readonly id: string = randomUUID();
  readonly #notice: ConnectionNotice;
  readonly #engine: RecordedEngine;
  #client: string | undefined;
  #offered: OfferedAlgorithms | undefined;
  #hostKey: string | undefined;
  #told = false;

  constructor(engine: RecordedEngine, notice: ConnectionNotice) {
    this.#engine = engine;
    this.#notice = notice;
  }

  /** The client's identification line, without its end. */
  identified(line: string): void {
    this.#client = line.slice(0, 255);
  }

  offered(offered: OfferedAlgorithms): void {
    this.#offered = offered;
  }

  negotiated({ kex, serverHostKey, cs, sc }: Negotiated): void {
    this.#hostKey = this.#engine.hostKeyFor(serverHostKey);
    this.#tell('completed', undefined, {
      kex,
      hostKeyAlgorithm: serverHostKey,
      ...this.loginDetail(),
      cipherIn: cs.cipher,
      cipherOut: sc.cipher,
      ...(authenticated.test(cs.cipher) ? {} : { macIn: cs.mac }),
      ...(authenticated.test(sc.cipher) ? {} : { macOut: sc.mac }),
    });
  }

  /** The connection is over; without keys this says why there are none. */
  closed(): void {
    if (this.#client === undefined) return;
    this.#tell('failed', this.#reason(), { connection: this.id });
  }

  /** What the login events of this connection carry. */
  loginDetail(): EventDetail {
    return { connection: this.id, ...(this.#hostKey === undefined ? {} : { hostKey: this.#hostKey }) };
  }

  #tell(outcome: 'completed' | 'failed', reason: string | undefined, detail: EventDetail): void {
    if (this.#told) return;
    this.#told = true;
    const offered = this.#offered;
    const listed = (names: readonly string[]) => names.join(',').slice(0, longest);
    this.#notice({
      kind: 'connection',
      outcome,
      ...(reason === undefined ? {} : { reason }),
      detail: {
        ...detail,
        client: this.#client ?? '',
        ...(offered === undefined
          ? {}
          : {
              offeredKex: listed(offered.kex),
              offeredHostKeys: listed(offered.hostKeys),
              offeredCiphers: listed(offered.ciphersIn),
              offeredMacs: listed(offered.macsIn),
            }),
      },
    });
  }

  #reason(): string {
    const offered = this.#offered;
    if (!offered) return 'no-offer';
    const { kex, hostKeys, ciphers, macs } = this.#engine.algorithms;
    if (!negotiated(offered.kex, kex)) return 'no-common-kex';
    if (!negotiated(offered.hostKeys, hostKeys)) return 'no-common-host-key';
    for (const [names, tags] of [
      [offered.ciphersIn, offered.macsIn],
      [offered.ciphersOut, offered.macsOut],
    ] as const) {
      const cipher = negotiated(names, ciphers);
      if (!cipher) return 'no-common-cipher';
      if (!authenticated.test(cipher) && !negotiated(tags, macs)) return 'no-common-mac';
    }
    return 'key-exchange-failed';
  }
}
