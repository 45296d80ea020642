import type { ServerResponse } from 'node:http';

/**
 * Writes and waits until the bytes have left our memory, so that their buffer may be used again.
 *
 * @returns `closed` where the connection went away first
 */
export function written(outgoing: ServerResponse, bytes: Uint8Array | string): Promise<'written' | 'closed'> {
  return new Promise((resolve) => {
    if (outgoing.destroyed) return resolve('closed');
    const onClose = () => resolve('closed');
    outgoing.once('close', onClose);
    outgoing.write(bytes, (error) => {
      outgoing.off('close', onClose);
      resolve(error ? 'closed' : 'written');
    });
  });
}

/** Ends the answer. @returns `closed` where the connection went away before its last byte was handed to the system */
export function ended(outgoing: ServerResponse): Promise<'written' | 'closed'> {
  return new Promise((resolve) => {
    if (outgoing.destroyed) return resolve('closed');
    const onClose = () => resolve(outgoing.writableFinished ? 'written' : 'closed');
    outgoing.once('close', onClose);
    outgoing.end(() => {
      outgoing.off('close', onClose);
      resolve('written');
    });
  });
}
