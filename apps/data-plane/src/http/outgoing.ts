import { constants } from 'node:http2';
import type { Outgoing } from './exchange.ts';

/** Is there nobody left to answer? */
export const isGone = (outgoing: Outgoing): boolean =>
  outgoing.destroyed ?? outgoing.stream?.destroyed ?? true;

/** Breaks an answer off so that what was sent of it does not pass for the whole. */
export function cut(outgoing: Outgoing): void {
  if (outgoing.stream) outgoing.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  else outgoing.destroy();
}

/**
 * Writes and waits until the bytes have left our memory, so that their buffer may be used again.
 *
 * @returns `closed` where the connection went away first
 */
export function written(outgoing: Outgoing, bytes: Uint8Array | string): Promise<'written' | 'closed'> {
  return new Promise((resolve) => {
    if (isGone(outgoing)) return resolve('closed');
    const onClose = () => resolve('closed');
    outgoing.once('close', onClose);
    outgoing.write(bytes, (error) => {
      outgoing.off('close', onClose);
      resolve(error ? 'closed' : 'written');
    });
  });
}

/** Ends the answer. @returns `closed` where the connection went away before its last byte was handed to the system */
export function ended(outgoing: Outgoing): Promise<'written' | 'closed'> {
  return new Promise((resolve) => {
    if (isGone(outgoing)) return resolve('closed');
    const onClose = () => resolve(outgoing.writableFinished ? 'written' : 'closed');
    outgoing.once('close', onClose);
    outgoing.end(() => {
      outgoing.off('close', onClose);
      resolve('written');
    });
  });
}

/** Begins an answer. HTTP/2 has no Connection header (RFC 9113 section 8.2.2). */
export function writeHead(
  outgoing: Outgoing,
  status: number,
  headers: Readonly<Record<string, string>>,
): void {
  const { Connection, ...others } = headers;
  outgoing.writeHead(
    status,
    outgoing.stream || Connection === undefined ? others : { ...others, Connection },
  );
}

/** Sends an answer that is at hand as a whole. Where none is allowed (204, 304) there is no body. */
export function answer(
  outgoing: Outgoing,
  status: number,
  headers: Readonly<Record<string, string>> = {},
  body = '',
): void {
  const bodiless = status === 204 || status === 304;
  writeHead(outgoing, status, {
    ...headers,
    ...(bodiless ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }),
  });
  if (bodiless || outgoing.req.method === 'HEAD') outgoing.end();
  else outgoing.end(body);
}
