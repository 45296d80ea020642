import type { Server } from 'node:net';
import { ok, type Result, refuse } from '@sallyport/faults';

/**
 * Listens on an address.
 *
 * @param make makes the server; it gets an `error` listener that outlives the listening
 * @returns the listening server; `item-port-in-use`, or `item-engine-refused` for an address that is not ours to take
 */
export function listenOn(host: string, port: number, make: () => Server): Promise<Result<Server>> {
  return new Promise((resolve) => {
    const server = make();
    server.on('error', (error: NodeJS.ErrnoException) => {
      const code = error.code === 'EADDRINUSE' ? 'item-port-in-use' : 'item-engine-refused';
      resolve(refuse(code, `${host}:${port}: ${error.code ?? 'the address cannot be taken'}`));
    });
    server.listen({ host, port }, () => resolve(ok(server)));
  });
}
