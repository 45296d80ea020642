import type { Socket } from 'node:net';

/** Content type `handshake` of a TLS record (RFC 8446 section 5.1); no HTTP method begins with it. */
const tlsHandshake = 0x16;

/**
 * Looks at the first byte of a connection and leaves it unread.
 *
 * @returns what the client speaks, or `closed` where it sent nothing in time
 */
export function firstByte(socket: Socket, timeoutMs: number): Promise<'tls' | 'clear' | 'closed'> {
  return new Promise((resolve) => {
    const settle = (found: 'tls' | 'clear' | 'closed') => {
      clearTimeout(timer);
      socket.off('readable', look);
      socket.off('end', gone);
      socket.off('close', gone);
      resolve(found);
    };
    const gone = () => settle('closed');
    const look = () => {
      const bytes: Buffer | null = socket.read();
      if (bytes === null) return;
      socket.unshift(bytes);
      settle(bytes[0] === tlsHandshake ? 'tls' : 'clear');
    };
    const timer = setTimeout(gone, timeoutMs);
    socket.on('readable', look);
    socket.once('end', gone);
    socket.once('close', gone);
  });
}
