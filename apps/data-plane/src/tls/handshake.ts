import type { TLSSocket } from 'node:tls';

/**
 * Waits for the end of a server-side handshake. Whatever comes later on this socket, its errors destroy it and
 * never leave it.
 *
 * @param timeoutMs bound for the whole handshake
 * @returns nothing on success, else a reason for the event log; the socket is then destroyed
 */
export function handshakeOf(socket: TLSSocket, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    let settled = false;
    const settle = (reason: string | undefined): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      if (reason !== undefined) socket.destroy();
      resolve(reason);
    };
    const timer = setTimeout(() => settle('handshake-timeout'), timeoutMs);
    socket.once('secure', () => settle(undefined));
    socket.once('close', () => settle('connection-closed'));
    // On a half-open socket the peer's end closes nothing by itself.
    socket.once('end', () => settle('connection-closed'));
    const failed = (error: NodeJS.ErrnoException): void => {
      settle(`handshake-failed: ${error?.code ?? 'unknown'}`);
      socket.destroy();
    };
    socket.on('error', failed);
    // A TLSSocket without a tls.Server reports its own protocol errors here, before and after the handshake.
    socket.on('_tlsError', failed);
  });
}
