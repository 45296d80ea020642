import type { UserClass } from '@sallyport/model';
import { addressIn } from './address.ts';

/** What a class is chosen by. `groups` is `unknown` before the account may be looked at. */
export type ClassFacts = {
  /** Login name, normalised. */
  readonly name: string;
  readonly source: string;
  readonly groups: readonly string[] | 'unknown';
};

/**
 * No account has a longer name, normalised or not. What a client calls itself is not bounded by that, and a pattern's
 * cost is its length times the name's.
 */
const longestName = 512;

/**
 * Does the whole text fit the pattern? `*` stands for any run of characters, `?` for one; nothing else is special.
 * At most |pattern| × |text| steps: only the last `*` is ever gone back to.
 */
export function matchesPattern(pattern: string, text: string): boolean {
  const wanted = Array.from(pattern);
  const given = Array.from(text);
  let p = 0;
  let t = 0;
  let star = -1;
  let mark = 0;
  while (t < given.length) {
    if (wanted[p] === '*') {
      star = p++;
      mark = t;
    } else if (p < wanted.length && (wanted[p] === '?' || wanted[p] === given[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (wanted[p] === '*') p++;
  return p === wanted.length;
}

/**
 * The class of a login: the first enabled one that matches (reference U7).
 *
 * @returns the class; `undetermined` where a class would match but for a group that is not known yet, and for a name
 *   longer than any account's; nothing where none matches
 */
export function classOf(
  classes: readonly UserClass[],
  facts: ClassFacts,
): UserClass | 'undetermined' | undefined {
  if (facts.name.length > longestName) return 'undetermined';
  for (const candidate of classes) {
    if (!candidate.enabled) continue;
    if (!matchesPattern(candidate.namePattern, facts.name)) continue;
    if (candidate.sources.length > 0 && !addressIn(facts.source, candidate.sources)) continue;
    if (candidate.group === '*') return candidate;
    if (facts.groups === 'unknown') return 'undetermined';
    if (facts.groups.includes(candidate.group)) return candidate;
  }
  return undefined;
}
