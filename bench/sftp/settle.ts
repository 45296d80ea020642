import { eventually } from '../../test/support/process.ts';
import { processTree } from '../process-usage.ts';
import type { SftpServer } from './server.ts';

/** Waits until a server that works with processes has only the one that listens: then all its CPU time is known. */
export async function settle(server: SftpServer): Promise<void> {
  if (server.name === 'sallyport') return;
  await eventually(
    () => {
      if (processTree(server.pid).length > 1) throw new Error(`${server.name} still serves somebody`);
    },
    { timeoutMs: 15_000 },
  );
}
