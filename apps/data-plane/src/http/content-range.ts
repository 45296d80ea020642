/** What a partial PUT brings: bytes from `start`, `length` of them, of a file of `total`, where that is known. */
export type ContentRange = {
  readonly start: number;
  readonly length: number;
  readonly total: number | undefined;
};

/**
 * Reads a Content-Range header (RFC 9110 section 14.4) of a request.
 *
 * @returns the range, or nothing where it is malformed or contradicts itself
 */
export function contentRange(header: string): ContentRange | undefined {
  const match = /^bytes[ \t]+(\d{1,15})-(\d{1,15})\/(?:(\d{1,15})|\*)$/i.exec(header.trim());
  if (!match) return undefined;
  const start = Number(match[1]);
  const last = Number(match[2]);
  const total = match[3] === undefined ? undefined : Number(match[3]);
  if (last < start || (total !== undefined && last >= total)) return undefined;
  return { start, length: last - start + 1, total };
}
