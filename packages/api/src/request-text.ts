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
  // Places know where they are by the one above: paths written out would make deep nesting costly.
  const waiting: Place[] = [{ value, name: '', above: undefined }];
  for (let at = waiting.pop(); at; at = waiting.pop()) {
    if (typeof at.value === 'string' && unstorable(at.value)) return pointerTo(at);
    if (typeof at.value !== 'object' || at.value === null) continue;
    for (const [name, inner] of Object.entries(at.value)) {
      if (unstorable(name)) return pointerTo(at);
      if (typeof inner === 'string' || typeof inner === 'object') {
        waiting.push({ value: inner, name, above: at });
      }
    }
  }
  return undefined;
}

type Place = { readonly value: unknown; readonly name: string; readonly above: Place | undefined };

/** Steps of a pointer that are written out: deeper than any document of ours. */
const mostSteps = 32;

function pointerTo(place: Place): string {
  const path: string[] = [];
  for (let at = place; at.above; at = at.above) path.push(at.name);
  return jsonPointer(path.reverse().slice(0, mostSteps));
}
