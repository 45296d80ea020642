import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { VirtualPath } from '@sallyport/files';
import type { Session } from '../session.ts';

/** A request, of HTTP/1.1 or of HTTP/2: what both of Node's engines hand over. */
export interface Incoming extends Readable {
  readonly method?: string | undefined;
  /** The target as it stood in the request line, or `:path`. */
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders & { readonly ':authority'?: string | undefined };
  /** Names and values in turn, as they were sent. */
  readonly rawHeaders: string[];
  readonly httpVersionMajor: number;
  /** True once nothing more of the body comes. Whether it was received whole, `isWhole` says. */
  readonly complete: boolean;
  /** Absent on HTTP/1.1. */
  readonly stream?: {
    readonly aborted: boolean;
    readonly destroyed: boolean;
    readonly rstCode?: number | undefined;
    readonly endAfterHeaders?: boolean | undefined;
  };
}

/** Was the body received to its end? A stream of HTTP/2 that the client resets ends like a whole one. */
export const isWhole = ({ complete, stream }: Pick<Incoming, 'complete' | 'stream'>): boolean =>
  complete && !(stream && (stream.aborted || stream.destroyed || (stream.rstCode ?? 0) !== 0));

/** The answer to it. */
export interface Outgoing {
  readonly headersSent: boolean;
  readonly writableFinished: boolean;
  /** Absent on HTTP/2, where the stream has it. */
  readonly destroyed?: boolean;
  readonly stream?: { readonly destroyed: boolean; close(code?: number): void } | undefined;
  readonly req: Incoming;
  setHeader(name: string, value: string | readonly string[]): unknown;
  writeHead(status: number, headers?: Record<string, string>): unknown;
  writeContinue(): void;
  write(bytes: Uint8Array | string, done?: (error?: Error | null) => void): boolean;
  end(done?: () => void): unknown;
  end(text: string): unknown;
  once(event: 'close', listener: () => void): unknown;
  off(event: 'close', listener: () => void): unknown;
  destroy(error?: Error): unknown;
}

/** A request in hand: the session it was admitted to, and the path it is about. */
export type Exchange = {
  readonly incoming: Incoming;
  readonly outgoing: Outgoing;
  readonly session: Session;
  readonly path: VirtualPath;
  /** Bytes of one buffer, of which a transfer has two. */
  readonly blockSize: number;
};

/** All values of a header, one for each time that it was sent. @param name in lower case */
export function headerValues(incoming: Pick<Incoming, 'rawHeaders'>, name: string): string[] {
  const values: string[] = [];
  for (let at = 0; at < incoming.rawHeaders.length; at += 2) {
    if (incoming.rawHeaders[at]?.toLowerCase() === name) values.push(incoming.rawHeaders[at + 1] ?? '');
  }
  return values;
}

/** Host and port that the client asked for. */
export const authorityOf = ({ headers }: Pick<Incoming, 'headers'>): string =>
  headers[':authority'] ?? headers.host ?? '';

/** Does the request bring a body? On HTTP/2 the frame of its headers says whether that was all. */
export const hasBody = ({ headers, stream }: Incoming): boolean =>
  stream
    ? stream.endAfterHeaders !== true
    : headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
