/** One condition of an If header (RFC 4918 section 10.4). */
export type Condition = {
  readonly kind: 'token' | 'etag';
  readonly value: string;
  readonly expected: 'holds' | 'fails';
};

/** Conditions that hold together or not at all, about the resource of the tag or of the request. */
export type ConditionList = { readonly tag: string | undefined; readonly conditions: readonly Condition[] };

const maxLength = 8_192;
/** Each may cost a look at the disk. */
const maxLists = 64;

/**
 * Reads an If header.
 *
 * @returns its lists, of which one has to hold; nothing where it is malformed
 */
export function parseIf(header: string): readonly ConditionList[] | undefined {
  if (header.length > maxLength) return undefined;
  const lists: ConditionList[] = [];
  let tag: string | undefined;
  let rest = header.trim();
  while (rest !== '') {
    const tagged = /^<([^<>\s]*)>\s*/.exec(rest);
    if (tagged) {
      tag = tagged[1];
      rest = rest.slice(tagged[0].length);
      if (!rest.startsWith('(')) return undefined;
    }
    const list = /^\(\s*((?:(?:Not\s*)?(?:<[^<>\s]*>|\[(?:W\/)?"[^"]*"\])\s*)+)\)\s*/i.exec(rest);
    if (!list) return undefined;
    rest = rest.slice(list[0].length);
    const conditions = [...(list[1] ?? '').matchAll(/(Not\s*)?(?:<([^<>\s]*)>|\[((?:W\/)?"[^"]*")\])/gi)].map(
      ([, not, token, etag]): Condition => ({
        kind: token === undefined ? 'etag' : 'token',
        value: token ?? etag ?? '',
        expected: not === undefined ? 'holds' : 'fails',
      }),
    );
    if (lists.push({ tag, conditions }) > maxLists) return undefined;
  }
  return lists.length === 0 ? undefined : lists;
}
