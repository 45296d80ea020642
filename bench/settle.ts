import { eventually } from '../test/support/process.ts';
import { processTree } from './process-usage.ts';

/** Waits until a server that works with processes has only the one that listens: then all its CPU time is known. */
export async function settle(server: { readonly name: string; readonly pid: number }): Promise<void> {
  if (server.name === 'sallyport') return;
  await eventually(
    () => {
      if (processTree(server.pid).length > 1) throw new Error(`${server.name} still serves somebody`);
    },
    { timeoutMs: 15_000 },
  );
}
