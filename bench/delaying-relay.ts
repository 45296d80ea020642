import { connect, createServer, type Server, type Socket } from 'node:net';

/** A relay before a server, as far away as it says. */
export type DelayingRelay = { readonly port: number; readonly close: () => Promise<void> };

/** Passes bytes on, each a fixed time after it came. Nothing but the two ends bounds what is on its way. */
function passLater(from: Socket, to: Socket, milliseconds: number): void {
  const onTheWay: { readonly due: number; readonly chunk: Buffer | undefined }[] = [];
  let timer: NodeJS.Timeout | undefined;
  const deliver = (): void => {
    timer = undefined;
    const now = performance.now();
    for (let [first] = onTheWay; first && first.due <= now; [first] = onTheWay) {
      onTheWay.shift();
      if (first.chunk) to.write(first.chunk);
      else to.end();
    }
    arm();
  };
  const arm = (): void => {
    const [first] = onTheWay;
    if (first && !timer) timer = setTimeout(deliver, Math.max(0, first.due - performance.now()));
  };
  const take = (chunk: Buffer | undefined): void => {
    onTheWay.push({ due: performance.now() + milliseconds, chunk });
    arm();
  };
  from.on('data', take);
  from.once('end', () => take(undefined));
  from.once('close', () => {
    if (!from.readableEnded) to.destroy();
  });
}

/**
 * Listens on a free port of 127.0.0.1 and passes every connection on to `port`, both ways late by half of the round
 * trip: for kernels without netem.
 */
export function startDelayingRelay(port: number, roundTripMs: number): Promise<DelayingRelay> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      socket.on('error', () => socket.destroy());
      socket.once('close', () => sockets.delete(socket));
      sockets.add(socket);
    }
    passLater(client, upstream, roundTripMs / 2);
    passLater(upstream, client, roundTripMs / 2);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (typeof address !== 'object' || !address) return reject(new Error('the relay has no port'));
      resolve({
        port: address.port,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            for (const socket of sockets) socket.destroy();
          }),
      });
    });
  });
}
