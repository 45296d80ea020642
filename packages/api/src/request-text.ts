/** A JSON pointer (RFC 6901) to a value; the whole document is the empty one. */
export const jsonPointer = (path: readonly PropertyKey[]): string =>
  path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

const unstorable = (text: string): boolean => text.includes('\u0000') || !text.isWellFormed();

/**
 * Looks for text that would not come back as it went in: NUL, at which programs in C end a name, and halves of
 * surrogate pairs, which become the same replacement character in every database.
 *
 * @param value parsed JSON, of any depth
 * @returns pointer to the first such text, as a value or as a field's name
 */
export function unstorableText(value: unknown): string | undefined {
  const waiting: { readonly value: unknown; readonly path: readonly PropertyKey[] }[] = [{ value, path: [] }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { value: at, path } = next;
    if (typeof at === 'string' && unstorable(at)) return jsonPointer(path);
    if (typeof at !== 'object' || at === null) continue;
    for (const [name, inner] of Object.entries(at)) {
      if (unstorable(name)) return jsonPointer(path);
      if (typeof inner === 'string' || (typeof inner === 'object' && inner !== null)) {
        waiting.push({ value: inner, path: [...path, name] });
      }
    }
  }
  return undefined;
}
