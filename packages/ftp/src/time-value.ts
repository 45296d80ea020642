const two = (value: number): string => String(value).padStart(2, '0');

/** A time in UTC as `YYYYMMDDHHMMSS` (RFC 3659 section 2.3), of milliseconds since the epoch. */
export function timeValue(milliseconds: number): string {
  const date = new Date(milliseconds);
  return [
    String(date.getUTCFullYear()).padStart(4, '0'),
    two(date.getUTCMonth() + 1),
    two(date.getUTCDate()),
    two(date.getUTCHours()),
    two(date.getUTCMinutes()),
    two(date.getUTCSeconds()),
  ].join('');
}

/**
 * Reads such a time, whose seconds may have a fraction and, as older clients write it, may be missing.
 *
 * @returns milliseconds since the epoch; nothing where there is no such time
 */
export function parseTimeValue(text: string): number | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(?:(\d{2})(?:\.(\d{1,9}))?)?$/.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second = '00', fraction = '0'] = match;
  const whole = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(whole)) return undefined;
  // 30 February is read as a day of March by some engines.
  if (timeValue(whole) !== `${year}${month}${day}${hour}${minute}${second}`) return undefined;
  return whole + Math.floor(Number(`0.${fraction}`) * 1_000);
}
