import { availableParallelism } from 'node:os';
import { must, type Placement } from './must.ts';
import { processTree } from './process-usage.ts';

/** The server has a core of its own, the client the other. */
const serverCore = 0;
export const clientCore: Placement = { core: 1 };

/** Moves a server with all its threads to one core, or lets it go everywhere; new children follow. */
export async function place(pid: number, where: 'server-core' | 'anywhere'): Promise<void> {
  const cores = where === 'server-core' ? String(serverCore) : `0-${availableParallelism() - 1}`;
  for (const one of processTree(pid)) await must('anywhere', 'taskset', ['-acp', cores, String(one)]);
}
