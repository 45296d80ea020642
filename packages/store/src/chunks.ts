/** Values of one `IN (…)`: SQLite takes 32,766 parameters, servers less. */
const perQuery = 500;

/**
 * Asks for many values with few queries; each value once.
 *
 * @param ask answers the rows of one piece of the values
 */
export async function inPieces<V, T>(values: readonly V[], ask: (piece: V[]) => Promise<T[]>): Promise<T[]> {
  const distinct = [...new Set(values)];
  const rows: T[] = [];
  for (let at = 0; at < distinct.length; at += perQuery) {
    rows.push(...(await ask(distinct.slice(at, at + perQuery))));
  }
  return rows;
}
