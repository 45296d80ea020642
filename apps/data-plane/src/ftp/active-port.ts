import { connect, type Socket } from 'node:net';
import type { DataPort } from './data-connection.ts';

/**
 * A data connection that goes out to the client (RFC 959 section 3.3), from our address of the control connection, so
 * that it passes where that passes. The port that it comes from is the system's to choose: 20 would need privileges.
 *
 * @param host the peer of the control connection, and nobody else
 */
export function activePort({
  host,
  port,
  localAddress,
}: {
  readonly host: string;
  readonly port: number;
  readonly localAddress: string;
}): DataPort {
  let dialling: Socket | undefined;
  let closed = false;
  return {
    connection(timeoutMs) {
      if (closed) return Promise.resolve(undefined);
      return new Promise((resolve) => {
        const socket = connect({ host, port, localAddress, noDelay: true, allowHalfOpen: true });
        dialling = socket;
        const timer = setTimeout(() => socket.destroy(), timeoutMs);
        const settle = (connected: Socket | undefined): void => {
          clearTimeout(timer);
          dialling = undefined;
          resolve(connected);
        };
        socket.on('error', () => socket.destroy());
        socket.once('close', () => settle(undefined));
        socket.once('connect', () => {
          socket.pause();
          settle(socket);
        });
      });
    },
    close() {
      closed = true;
      dialling?.destroy();
      dialling = undefined;
    },
  };
}
