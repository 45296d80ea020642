import { rmSync } from 'node:fs';
import { chmod, mkdtemp, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { type Measured, measure } from './measure.ts';
import type { BenchOptions } from './options.ts';
import type { Row } from './rows.ts';

type Server = { readonly name: string; readonly stop: () => Promise<void> };

/** What is measured, and of whom. `ground` is what the scenarios find prepared, `stage` what servers are started with. */
export type Comparison<S extends Server, Stage, Ground, Scenario extends { readonly id: string }> = {
  readonly scenarios: readonly Scenario[];
  /** @param folder of this run, on the file system that is measured */
  readonly prepare: (folder: string) => Promise<{ readonly stage: Stage; readonly ground: Ground }>;
  /** Ours first; a peer that is not to be had is undefined. */
  readonly servers: readonly ((stage: Stage) => Promise<S | undefined>)[];
  /** Puts the files of the ground into a server's folder. */
  readonly furnish: (server: S, ground: Ground) => Promise<void>;
  readonly takesPart: (scenario: Scenario, peer: S) => boolean;
  readonly measured: (scenario: Scenario, ground: Ground) => Measured<S>;
};

/** Measures ours beside its peers, on one file system and with the same clients. Throws Error where no row is so named. */
export async function compare<S extends Server, Stage, Ground, Scenario extends { readonly id: string }>(
  comparison: Comparison<S, Stage, Ground, Scenario>,
  options: BenchOptions,
  progress: (line: string) => void,
): Promise<Row[]> {
  const { scenarios } = comparison;
  const selected = scenarios.filter(
    ({ id }) => options.rows.length === 0 || options.rows.some((row) => id.startsWith(row)),
  );
  if (selected.length === 0) {
    throw new Error(`no such row; there are ${scenarios.map(({ id }) => id).join(', ')}`);
  }
  const folder = await realpath(await mkdtemp(join(options.folder, 'sallyport-bench-')));
  // A server that gives up its privileges goes through it.
  await chmod(folder, 0o711);
  const clear = () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  process.once('exit', clear);
  const servers: S[] = [];
  try {
    const { stage, ground } = await comparison.prepare(folder);
    for (const start of comparison.servers) {
      const server = await start(stage);
      if (!server) continue;
      servers.push(server);
      await comparison.furnish(server, ground);
    }
    progress(`servers: ${servers.map(({ name }) => name).join(', ')}; files in ${folder}`);
    const rows: Row[] = [];
    for (const scenario of selected) {
      const taking = servers.filter((server, at) => at === 0 || comparison.takesPart(scenario, server));
      rows.push(...(await measure(comparison.measured(scenario, ground), taking, options.rounds, progress)));
    }
    return rows;
  } finally {
    for (const server of servers) await server.stop();
    process.removeListener('exit', clear);
    clear();
  }
}
