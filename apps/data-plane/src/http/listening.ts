import { createServer, type Server, type Socket } from 'node:net';
import { ok, type Result, refuse } from '@sallyport/faults';

/** A listening socket. Connections that it accepted are not its business. */
export type Listening = {
  readonly port: number;
  readonly host: string;
  /** The port that was asked for; 0 had the system choose. */
  readonly askedPort: number;
  close(): void;
};

/**
 * Listens.
 *
 * @returns `item-port-in-use` where somebody else does, `item-engine-refused` for any other error of the system
 */
export function listen(
  address: { readonly host: string; readonly port: number },
  accept: (socket: Socket) => void,
): Promise<Result<Listening>> {
  return new Promise((resolve) => {
    const server: Server = createServer({ noDelay: true }, accept);
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve(
        error.code === 'EADDRINUSE'
          ? refuse('item-port-in-use', `port ${address.port} is in use`)
          : refuse('item-engine-refused', `cannot listen: ${error.code ?? 'unknown'}`),
      );
    });
    server.listen({ host: address.host, port: address.port }, () => {
      // Out of descriptors, for one: it passes, and the listener stays.
      server.on('error', () => {});
      const bound = server.address();
      resolve(
        ok({
          port: typeof bound === 'object' && bound ? bound.port : address.port,
          host: address.host,
          askedPort: address.port,
          close: () => server.close(),
        }),
      );
    });
  });
}
