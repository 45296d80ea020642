import { median, spread } from './statistics.ts';

/** What must hold of a row. `ratio` compares ours with the peer's, `value` is ours alone. */
export type Goal =
  | { readonly of: 'ratio'; readonly atLeast: number }
  | { readonly of: 'ratio'; readonly atMost: number }
  | { readonly of: 'value'; readonly atMost: number };

/** One number that a scenario takes of each server. */
export type Measure = {
  readonly name: string;
  readonly unit: string;
  /** Holds against one peer; others are shown for comparison. */
  readonly goal?: Goal;
  /** Which one: the first (default), or the one whose number is the highest. */
  readonly against?: 'first' | 'highest';
};

/** What one server showed in all rounds. */
export type Samples = { readonly server: string; readonly values: readonly number[] };

/** A row of the result; `ratio` is ours divided by theirs, goal and met are null where there is none to hold. */
export type Row = {
  readonly name: string;
  readonly unit: string;
  readonly peer: string;
  readonly ours: number;
  readonly theirs: number | null;
  readonly ratio: number | null;
  readonly goal: string | null;
  readonly met: boolean | null;
  readonly spread: { readonly ours: number; readonly theirs: number | null };
};

const describe = (goal: Goal, unit: string): string => {
  const sign = 'atLeast' in goal ? '≥' : '≤';
  const bound = 'atLeast' in goal ? goal.atLeast : goal.atMost;
  return goal.of === 'ratio' ? `${sign} ${bound}×` : `${sign} ${bound} ${unit}`;
};

const holds = (goal: Goal, ours: number, ratio: number | undefined): boolean => {
  const value = goal.of === 'ratio' ? ratio : ours;
  if (value === undefined) return false;
  return 'atLeast' in goal ? value >= goal.atLeast : value <= goal.atMost;
};

/** The rows of one measure: ours against each peer, or ours alone where the scenario has no peer. */
export function rowsOf(measure: Measure, ours: Samples, peers: readonly Samples[]): Row[] {
  const own = median(ours.values);
  const row = (peer: Samples | undefined, goal: Goal | undefined): Row => {
    const theirs = peer && median(peer.values);
    const ratio = theirs === undefined || theirs === 0 ? undefined : own / theirs;
    return {
      name: measure.name,
      unit: measure.unit,
      peer: peer?.server ?? 'none',
      ours: own,
      theirs: theirs ?? null,
      ratio: ratio ?? null,
      goal: goal ? describe(goal, measure.unit) : null,
      met: goal ? holds(goal, own, ratio) : null,
      spread: { ours: spread(ours.values), theirs: peer ? spread(peer.values) : null },
    };
  };
  if (peers.length === 0) return [row(undefined, measure.goal)];
  const ranked =
    measure.against === 'highest' ? peers.toSorted((a, b) => median(b.values) - median(a.values)) : peers;
  return ranked.map((peer, index) => row(peer, index === 0 ? measure.goal : undefined));
}
