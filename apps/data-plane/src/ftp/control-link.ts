import type { Socket } from 'node:net';
import {
  createLineReader,
  encodeText,
  formatReply,
  type NameEncoding,
  type ReadLine,
  type Reply,
} from '@sallyport/ftp';

/** Lines that may wait while a command runs; then the socket is read no further. */
const maxWaitingLines = 16;
/** A client that was told goodbye gets this long to read it. */
const farewellMs = 2_000;

/** The bytes of a control connection as lines in and replies out. */
export interface ControlLink {
  readonly socket: Socket;
  /** The next line; nothing once the connection has ended or a farewell was said. */
  next(): Promise<ReadLine | undefined>;
  /** Sends a reply and waits while the client does not read; resolves as well when it is gone. */
  send(given: Reply): Promise<void>;
  /** Throws away what was read and not taken, and leaves the socket for TLS. */
  release(): Socket;
  /** Takes over another socket: the same connection, now in TLS. */
  adopt(socket: Socket): void;
  /** Sends a last reply and closes. */
  farewell(given?: Reply): void;
  destroy(): void;
}

/**
 * @param onLine is shown each line as it comes in, before those that wait, with their number; `taken`: it is dealt with
 * @param onClose the connection is gone
 */
export function createControlLink(options: {
  readonly socket: Socket;
  readonly encoding: () => NameEncoding;
  readonly onLine: (line: ReadLine, waiting: number) => 'taken' | 'waits';
  readonly onClose: () => void;
}): ControlLink {
  let socket = options.socket;
  const reader = createLineReader(options.encoding);
  let lines: ReadLine[] = [];
  let open = true;
  let wake: (() => void) | undefined;
  let handedOver = false;

  function close(): void {
    if (!open) return;
    open = false;
    lines = [];
    wake?.();
  }

  function onData(chunk: Buffer): void {
    for (const line of reader.push(chunk)) {
      const taken = options.onLine(line, lines.length) === 'taken';
      if (!open) return;
      if (!taken) lines.push(line);
    }
    if (lines.length >= maxWaitingLines) socket.pause();
    wake?.();
  }

  function onClosed(this: Socket): void {
    if (this !== socket) return;
    close();
    options.onClose();
  }

  const onEnd = (): void => wake?.();

  function attach(): void {
    socket.on('error', () => {});
    socket.on('data', onData);
    socket.on('end', onEnd);
    socket.on('close', onClosed);
  }
  attach();

  return {
    get socket() {
      return socket;
    },
    async next() {
      for (;;) {
        const line = lines.shift();
        if (line) {
          if (lines.length < maxWaitingLines && socket.isPaused()) socket.resume();
          return line;
        }
        if (!open || socket.readableEnded) return undefined;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        wake = undefined;
      }
    },
    send(given) {
      return new Promise((resolve) => {
        if (socket.destroyed || !socket.writable) return resolve();
        const at = socket;
        at.once('close', resolve);
        at.write(encodeText(formatReply(given), options.encoding()), () => {
          at.off('close', resolve);
          resolve();
        });
      });
    },
    release() {
      handedOver = true;
      socket.pause();
      socket.off('data', onData);
      socket.off('end', onEnd);
      lines = [];
      reader.discard();
      while (socket.read() !== null);
      return socket;
    },
    adopt(next) {
      handedOver = false;
      socket = next;
      attach();
    },
    farewell(given) {
      if (!open) return;
      close();
      const last = socket;
      // In the middle of a handshake there is nobody to say it to.
      if (handedOver) {
        last.destroy();
        return;
      }
      last.off('data', onData);
      const timer = setTimeout(() => last.destroy(), farewellMs);
      last.once('close', () => clearTimeout(timer));
      // Unread bytes would turn our close into a reset that loses the reply.
      last.resume();
      if (given) last.end(formatReply(given));
      else last.end();
      last.once('finish', () => last.once('end', () => last.destroy()));
    },
    destroy() {
      close();
      socket.destroy();
    },
  };
}
