import type { IncomingHttpHeaders } from 'node:http';
import { describe, expect, it } from 'vitest';
import { preconditions, rangeHolds, validatorsOf } from './conditions.ts';

const current = validatorsOf({ size: 10, modifiedAt: Date.parse('2026-01-02T03:04:05.678Z') });
const at = 'Fri, 02 Jan 2026 03:04:05 GMT';
const before = 'Fri, 02 Jan 2026 03:04:04 GMT';
const after = 'Fri, 02 Jan 2026 03:04:06 GMT';

describe('validatorsOf', () => {
  it('changes with size and time, and stands any time of the disk', () => {
    expect(current.lastModified).toBe(at);
    expect(validatorsOf({ size: 11, modifiedAt: current.lastModifiedAt }).etag).not.toBe(current.etag);
    expect(validatorsOf({ size: 10, modifiedAt: 1 }).etag).not.toBe(current.etag);
    expect(validatorsOf({ size: 10, modifiedAt: 1e20 }).lastModifiedAt).toBe(0);
  });
});

describe('preconditions', () => {
  const table: [IncomingHttpHeaders, 'there' | 'missing', string, string][] = [
    [{}, 'there', 'proceed', 'proceed'],
    [{ 'if-none-match': current.etag }, 'there', 'not-modified', 'failed'],
    [{ 'if-none-match': `"x", W/${current.etag}` }, 'there', 'not-modified', 'failed'],
    [{ 'if-none-match': '"x"' }, 'there', 'proceed', 'proceed'],
    [{ 'if-none-match': '*' }, 'there', 'not-modified', 'failed'],
    [{ 'if-none-match': '*' }, 'missing', 'proceed', 'proceed'],
    [{ 'if-modified-since': at }, 'there', 'not-modified', 'proceed'],
    [{ 'if-modified-since': before }, 'there', 'proceed', 'proceed'],
    [{ 'if-modified-since': 'nonsense' }, 'there', 'proceed', 'proceed'],
    // An entity tag that differs wins over a date that does not (RFC 9110 section 13.2.2).
    [{ 'if-none-match': '"x"', 'if-modified-since': at }, 'there', 'proceed', 'proceed'],
    [{ 'if-match': current.etag }, 'there', 'proceed', 'proceed'],
    [{ 'if-match': '*' }, 'there', 'proceed', 'proceed'],
    [{ 'if-match': '*' }, 'missing', 'failed', 'failed'],
    [{ 'if-match': `W/${current.etag}` }, 'there', 'failed', 'failed'],
    [{ 'if-match': '"x"' }, 'there', 'failed', 'failed'],
    [{ 'if-unmodified-since': after }, 'there', 'proceed', 'proceed'],
    [{ 'if-unmodified-since': before }, 'there', 'failed', 'failed'],
  ];
  it.each(table)('%o, %s: read %s, change %s', (headers, there, read, change) => {
    const found = there === 'there' ? current : undefined;
    expect(preconditions(headers, found, 'read')).toBe(read);
    expect(preconditions(headers, found, 'change')).toBe(change);
  });
});

describe('rangeHolds', () => {
  it('takes only the very tag or date', () => {
    expect(rangeHolds(undefined, current)).toBe(true);
    expect(rangeHolds(current.etag, current)).toBe(true);
    expect(rangeHolds(at, current)).toBe(true);
    for (const other of ['"x"', `W/${current.etag}`, before, after, '*']) {
      expect(rangeHolds(other, current)).toBe(false);
    }
  });
});
