import { connect } from 'node:net';
import { eventually, type RunningProcess } from '../test/support/process.ts';

/** Waits until a port of 127.0.0.1 is listened on. Rejects with what the process has said when it has ended before. */
export async function untilListening(port: number, running: RunningProcess): Promise<void> {
  const ended = running.exited.then((code) => {
    throw new Error(`the server ended with ${code}: ${running.stdout()}${running.stderr()}`);
  });
  ended.catch(() => {});
  const listening = eventually(
    () =>
      new Promise<void>((resolve, reject) => {
        const socket = connect({ port, host: '127.0.0.1' });
        socket.once('error', reject);
        socket.once('connect', () => {
          socket.destroy();
          resolve();
        });
      }),
    { timeoutMs: 20_000 },
  );
  await Promise.race([listening, ended]);
}
