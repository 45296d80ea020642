import type { Socket } from 'node:net';

/** What we call ourselves: the product, never its version. */
export const serverIdentification = 'SSH-2.0-Sallyport';

/** Longest identification line with its end (RFC 4253 section 4.2). */
const maxLineBytes = 255;
const lineFeed = 0x0a;

/**
 * Exchanges identification lines (RFC 4253 section 4.2) ahead of ssh2, which loses one that comes in three pieces.
 * A client that speaks another protocol, or sends more than a line's worth without ending it, is gone at once.
 * The first thing that ssh2 writes afterwards is its own line: it is left out, since ours is on the wire.
 *
 * @param onIdentified called with the client's line, the socket at the client's first byte again and paused
 */
export function exchangeIdentification(socket: Socket, onIdentified: (line: string) => void): void {
  socket.write(`${serverIdentification}\r\n`);
  let line = Buffer.alloc(0);
  const onReadable = () => {
    const chunk: Buffer | null = socket.read();
    if (chunk === null) return;
    line = Buffer.concat([line, chunk]);
    const end = line.indexOf(lineFeed);
    const begins = Buffer.from('SSH-2.0-').subarray(0, line.length);
    const tooLong = end < 0 ? line.length >= maxLineBytes : end >= maxLineBytes;
    if (tooLong || !begins.equals(line.subarray(0, begins.length))) {
      socket.destroy();
      return;
    }
    if (end < 0) return;
    socket.off('readable', onReadable);
    socket.unshift(line);
    leaveOutFirstWrite(socket);
    onIdentified(line.toString('latin1', 0, end).trimEnd());
  };
  socket.on('readable', onReadable);
}

function leaveOutFirstWrite(socket: Socket): void {
  socket.write = () => {
    Reflect.deleteProperty(socket, 'write');
    return true;
  };
}
