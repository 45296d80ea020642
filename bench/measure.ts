import { type Measure, type Row, rowsOf, type Samples } from './rows.ts';

/** Something that is done with each server in each round, and the numbers that it gives by name of the measure. */
export type Measured<S> = {
  readonly id: string;
  readonly measures: readonly Measure[];
  readonly run: (server: S) => Promise<Readonly<Record<string, number>>>;
};

/**
 * Runs a scenario with each server in each round. Servers take turns, and whoever was first in one round is last in
 * the next.
 *
 * @param servers ours, then the peers
 */
export async function measure<S extends { readonly name: string }>(
  scenario: Measured<S>,
  servers: readonly S[],
  rounds: number,
  progress: (line: string) => void,
): Promise<Row[]> {
  const taken = new Map<string, Readonly<Record<string, number>>[]>(servers.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    const turns = round % 2 === 0 ? servers : servers.toReversed();
    for (const server of turns) {
      const numbers = await scenario.run(server);
      taken.get(server.name)?.push(numbers);
      const shown = Object.values(numbers).map((value) => value.toFixed(2));
      progress(`${scenario.id} ${round + 1}/${rounds} ${server.name} ${shown.join(' ')}`);
    }
  }
  return scenario.measures.flatMap((measured) => {
    const samplesOf = (server: S): Samples => ({
      server: server.name,
      values: (taken.get(server.name) ?? []).map((numbers) => numbers[measured.name] as number),
    });
    const [ours, ...peers] = servers.map(samplesOf);
    return ours ? rowsOf(measured, ours, peers) : [];
  });
}
