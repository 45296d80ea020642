import type { UserClass } from '@sallyport/model';
import { addressIn } from './address.ts';

/** What a class is chosen by. `groups` is `unknown` before the account may be looked at. */
export type ClassFacts = {
  readonly name: string;
  readonly source: string;
  readonly groups: readonly string[] | 'unknown';
};

/** `*` stands for any run of characters, `?` for one; nothing else is special. Linear in practice: no backtracking over runs. */
export function matchesPattern(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let mark = 0;
  while (t < text.length) {
    if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t]) && pattern[p] !== '*') {
      p++;
      t++;
    } else if (p < pattern.length && pattern[p] === '*') {
      star = p++;
      mark = t;
    } else if (star >= 0) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

/**
 * The class of a login: the first enabled one that matches (reference U7).
 *
 * @returns the class; `undetermined` where a class would match but for a group that is not known yet;
 *   nothing where none matches
 */
export function classOf(
  classes: readonly UserClass[],
  facts: ClassFacts,
): UserClass | 'undetermined' | undefined {
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
