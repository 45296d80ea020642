import type { Socket } from 'node:net';
import { ok, type Result, refuse } from '@sallyport/faults';
import type { SshAlgorithms } from '@sallyport/model';
import ssh2 from 'ssh2';
import type { ServerAlgorithms } from './connection-record.ts';
import type { HostKeys } from './host-keys.ts';
import type { HybridKem } from './hybrid-kem.ts';
import { exchangeIdentification, serverIdentification } from './identification.ts';
import { type LinkEvents, type LinkOptions, type RekeyLimits, SshLink } from './link.ts';
import { kexOffer, type Ssh2Client } from './ssh2-internals.ts';
import type { TransferMemory } from './transfer-memory.ts';

export type SshEngineOptions = {
  readonly hostKeys: HostKeys;
  readonly algorithms: SshAlgorithms;
  /** Those key exchanges of the algorithms that are hybrids, by name. */
  readonly hybrids: ReadonlyMap<string, HybridKem>;
  readonly rekey: RekeyLimits;
  /** A client that is silent for so long is asked whether it is there; three questions in vain end it. */
  readonly keepaliveMs: number;
  /** Shown before authentication (RFC 4252 section 5.4). */
  readonly banner: string | undefined;
  /** Memory that transfers of all engines share. */
  readonly memory: TransferMemory;
};

/** One set of host keys and algorithms, for as many connections as are given to it. It opens no port. */
export interface SshEngine {
  /** What it offers. */
  readonly algorithms: ServerAlgorithms;
  /** Fingerprint of the host key that signs with this algorithm. */
  hostKeyFor(algorithm: string): string | undefined;
  /**
   * Speaks SSH on a fresh connection.
   *
   * @param onLink called once, when the client has sent its identification string
   */
  serve(socket: Socket, events: LinkEvents, onLink: (link: SshLink) => void): void;
}

/**
 * Builds an engine on ssh2, whose host keys are fixed when it is built: a change is another engine, and
 * connections stay on the one they began with.
 *
 * @returns the engine, or `item-engine-refused` for keys or algorithms that ssh2 does not take
 */
export function createSshEngine(options: SshEngineOptions): Result<SshEngine> {
  const { hostKeys, algorithms } = options;
  const waiting = new WeakMap<Socket, (client: Ssh2Client) => void>();
  let server: ssh2.Server;
  try {
    server = new ssh2.Server({
      hostKeys: [...hostKeys.privateKeys],
      ident: serverIdentification.slice('SSH-2.0-'.length),
      keepaliveInterval: options.keepaliveMs,
      keepaliveCountMax: 3,
      ...(options.banner ? { banner: options.banner } : {}),
    });
  } catch {
    // ssh2's messages may quote what it was given.
    return refuse('item-engine-refused', 'the SSH engine does not take these host keys');
  }
  const shared: LinkOptions = {
    offer: kexOffer({
      kex: algorithms.kex,
      hostKeys: hostKeys.algorithms,
      ciphers: algorithms.ciphers,
      macs: algorithms.macs,
    }),
    hybrids: options.hybrids,
    clientKeys: algorithms.clientKeys,
    hostKeys: hostKeys.announced,
    rekey: options.rekey,
    memory: options.memory,
  };
  server.on('error', () => {});
  server.on('connection', (connection) => {
    const client = connection as Ssh2Client;
    const start = waiting.get(client._sock);
    if (!start) return void client._sock.destroy();
    waiting.delete(client._sock);
    start(client);
  });
  return ok({
    algorithms: { ...algorithms, hostKeys: hostKeys.algorithms },
    hostKeyFor: (algorithm) =>
      hostKeys.announced.find((key) => key.algorithms.includes(algorithm))?.fingerprint,
    serve(socket, events, onLink) {
      waiting.set(socket, (client) => onLink(new SshLink(client, shared, events)));
      exchangeIdentification(socket, (line) => {
        events.identified(line);
        server.injectSocket(socket);
      });
    },
  });
}
