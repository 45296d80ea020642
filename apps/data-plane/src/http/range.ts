/** The part of a file that is asked for: `length` bytes from `start`. */
export type Span = { readonly start: number; readonly length: number };

/**
 * Reads a Range header (RFC 9110 section 14.2) for a file of `size` bytes. One range is honoured; a header that is
 * malformed, of another unit or of several ranges is ignored, as the RFC lets a server do.
 *
 * @returns the span, `unsatisfiable` (416), or `whole` where there is nothing to honour
 */
export function spanOf(header: string | undefined, size: number): Span | 'unsatisfiable' | 'whole' {
  const match = /^bytes=[ \t]*(?:(\d{1,15})-(\d{1,15})?|-(\d{1,15}))[ \t]*$/i.exec(header ?? '');
  if (!match) return 'whole';
  const [, first, last, suffix] = match;
  if (suffix !== undefined) {
    const length = Math.min(Number(suffix), size);
    return length === 0 ? 'unsatisfiable' : { start: size - length, length };
  }
  const start = Number(first);
  const end = last === undefined ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== undefined && Number(last) < start) return 'whole';
  return start >= size ? 'unsatisfiable' : { start, length: end - start + 1 };
}
