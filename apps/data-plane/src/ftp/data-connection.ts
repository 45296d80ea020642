import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { DataTlsOutcome } from '../tls/secure-data.ts';
import { RecordObserver } from './record-observer.ts';

/** How long a data connection is awaited once its transfer has begun. */
const connectTimeoutMs = 10_000;

/** The way to one data connection, whoever of the two ends opens it. */
export interface DataPort {
  /** The connection, paused; nothing where none came about in time or the port was closed. It is then the caller's. */
  connection(timeoutMs: number): Promise<Socket | undefined>;
  /** Closes the port and a connection that was not taken. */
  close(): void;
}

/** A data connection, ready to carry its one transfer. */
export interface DataConnection {
  readonly socket: Socket | TLSSocket;
  /**
   * How the peer ended its stream, asked after `end`. In clear nothing tells a finished stream from one whose
   * program went away: its end is taken for the end.
   *
   * @param bytes all that was read
   */
  endOf(bytes: number): 'closed' | 'cut';
}

export type DataOutcome =
  | { readonly kind: 'open'; readonly data: DataConnection }
  | { readonly kind: 'failed'; readonly reason: 'no-connection' | 'tls-failed' | 'session-not-own' };

/**
 * Takes the data connection of a port.
 *
 * @param secure runs TLS on it; left out, it stays in clear
 * @param signal closes whatever there is already
 */
export async function openDataConnection(options: {
  readonly port: DataPort;
  /** `closure-alert`: watch for it, see `endOf`. */
  readonly watch: 'closure-alert' | 'nothing';
  readonly secure: ((socket: Socket | RecordObserver) => Promise<DataTlsOutcome>) | undefined;
  readonly idleMs: number;
  readonly signal: AbortSignal;
}): Promise<DataOutcome> {
  const { port, signal, secure } = options;
  const abort = (): void => port.close();
  signal.addEventListener('abort', abort);
  const raw = signal.aborted ? undefined : await port.connection(connectTimeoutMs);
  signal.removeEventListener('abort', abort);
  if (!raw || signal.aborted) {
    raw?.destroy();
    return { kind: 'failed', reason: 'no-connection' };
  }
  destroyOn(signal, raw);
  raw.setTimeout(options.idleMs, () => raw.destroy());
  if (!secure) return { kind: 'open', data: { socket: raw, endOf: () => 'closed' } };

  const observer = options.watch === 'closure-alert' ? new RecordObserver(raw) : undefined;
  const outcome = await secure(observer ?? raw);
  if (outcome.kind !== 'open') {
    return { kind: 'failed', reason: outcome.kind === 'refused' ? 'session-not-own' : 'tls-failed' };
  }
  const { socket } = outcome;
  // Asked now: a closed socket no longer knows.
  const protocol = socket.getProtocol();
  destroyOn(signal, socket);
  socket.once('close', () => {
    observer?.destroy();
    raw.destroy();
  });
  return {
    kind: 'open',
    data: {
      socket,
      endOf: (bytes) => (observer?.closedByAlert(protocol, bytes) === false ? 'cut' : 'closed'),
    },
  };
}

function destroyOn(signal: AbortSignal, socket: Socket | TLSSocket): void {
  const destroy = (): void => {
    socket.destroy();
  };
  if (signal.aborted) destroy();
  signal.addEventListener('abort', destroy);
  socket.once('close', () => signal.removeEventListener('abort', destroy));
}
