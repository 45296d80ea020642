import type { SslEntry, UserClass } from '@sallyport/model';
import { classOf } from './user-class.ts';

/**
 * Must this login be encrypted? Asked on a clear connection, so it looks at the login name and the source
 * address alone: the answer is the same whether or not the account exists (design section 4; reference E1-E4, W17).
 * A class that needs account attributes, and no matching entry, count as required.
 */
export function encryptionFor(
  entries: readonly SslEntry[],
  classes: readonly UserClass[],
  login: { readonly name: string; readonly source: string },
): 'required' | 'optional' {
  const found = classOf(classes, { ...login, groups: 'unknown' });
  if (found === 'undetermined') return 'required';
  const entry = entries.find(
    (candidate) => candidate.enabled && (candidate.userClass === '*' || candidate.userClass === found?.id),
  );
  return entry?.encryption ?? 'required';
}
