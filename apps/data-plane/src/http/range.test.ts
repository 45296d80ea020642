import { describe, expect, it } from 'vitest';
import { spanOf } from './range.ts';

describe('spanOf', () => {
  it.each([
    ['bytes=0-0', { start: 0, length: 1 }],
    ['bytes=2-4', { start: 2, length: 3 }],
    ['bytes=8-', { start: 8, length: 2 }],
    ['bytes=8-99', { start: 8, length: 2 }],
    ['bytes=-3', { start: 7, length: 3 }],
    ['bytes=-99', { start: 0, length: 10 }],
    ['BYTES= 1-1 ', { start: 1, length: 1 }],
    ['bytes=10-', 'unsatisfiable'],
    ['bytes=99-100', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=4-2', 'whole'],
    ['bytes=0-1,3-4', 'whole'],
    ['bytes=-', 'whole'],
    ['bytes=a-b', 'whole'],
    ['lines=0-1', 'whole'],
    ['bytes=0-99999999999999999999', 'whole'],
    [undefined, 'whole'],
  ])('%s of 10 bytes', (header, span) => {
    expect(spanOf(header, 10)).toEqual(span);
  });

  it('finds nothing to serve in an empty file', () => {
    expect(spanOf('bytes=0-', 0)).toBe('unsatisfiable');
    expect(spanOf('bytes=-1', 0)).toBe('unsatisfiable');
  });
});
