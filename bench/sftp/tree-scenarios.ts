import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { smallFiles } from '../files.ts';
import { settle } from '../settle.ts';
import { treeClients } from './client.ts';
import type { Scenario } from './scenario.ts';

type TreeClient = keyof typeof treeClients;

function small(client: TreeClient, direction: 'up' | 'down'): Scenario {
  const name = `1,000 × 1 KiB ${direction}, ${client}`;
  return {
    id: `small-${direction}-${client}`,
    peers: 'all',
    measures: [{ name, unit: 'files/s', goal: { of: 'ratio', atLeast: 1.2 } }],
    async run(server, ground) {
      const back = join(ground.folder, 'client', 'small-back');
      const startedAt = performance.now();
      if (direction === 'up') await treeClients[client].up(server, ground.smallFolder, 'small-up');
      else await treeClients[client].down(server, 'small', back);
      const seconds = (performance.now() - startedAt) / 1000;
      await rm(join(server.folder, 'small-up'), { recursive: true, force: true });
      await rm(back, { recursive: true, force: true });
      await settle(server);
      return { [name]: smallFiles / seconds };
    },
  };
}

/** A folder of many small files, up and down, with each client. */
export const treeScenarios: readonly Scenario[] = (['up', 'down'] as const).flatMap((direction) =>
  (Object.keys(treeClients) as TreeClient[]).map((client) => small(client, direction)),
);
