import type { IncomingMessage, ServerResponse } from 'node:http';
import type { VirtualPath } from '@sallyport/files';
import type { Session } from '../session.ts';

/** A request in hand: the session it was admitted to, and the path it is about. */
export type Exchange = {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly session: Session;
  readonly path: VirtualPath;
  /** Bytes of one buffer, of which a transfer has two. */
  readonly blockSize: number;
};
