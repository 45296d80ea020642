/** Who leans on whom. */
export type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * One cycle for each group of nodes that reach one another, as the nodes on the way, first one repeated at the end:
 * `['a', 'b', 'a']`. An empty list when there is none. A node that names itself is a cycle too.
 */
export function cycles(graph: Graph): string[][] {
  const found: string[][] = [];
  const inFound = new Set<string>();
  const state = new Map<string, 'open' | 'done'>();
  const trail: string[] = [];
  const visit = (node: string) => {
    state.set(node, 'open');
    trail.push(node);
    for (const next of [...(graph.get(node) ?? [])].sort()) {
      if (state.get(next) === 'open') {
        const cycle = trail.slice(trail.indexOf(next));
        if (!cycle.some((member) => inFound.has(member))) {
          for (const member of cycle) inFound.add(member);
          found.push([...cycle, next]);
        }
      } else if (!state.has(next)) visit(next);
    }
    trail.pop();
    state.set(node, 'done');
  };
  for (const node of [...graph.keys()].sort()) if (!state.has(node)) visit(node);
  return found;
}
