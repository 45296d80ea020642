import { expect, test } from 'vitest';
import { parseTimeValue, timeValue } from './time-value.ts';

test('a time in UTC, there and back', () => {
  const at = Date.UTC(2026, 1, 3, 4, 5, 6);
  expect(timeValue(at)).toBe('20260203040506');
  expect(parseTimeValue('20260203040506')).toBe(at);
});

test('a fraction of a second counts, and seconds may be missing', () => {
  expect(parseTimeValue('20260203040506.25')).toBe(Date.UTC(2026, 1, 3, 4, 5, 6, 250));
  expect(parseTimeValue('202602030405')).toBe(Date.UTC(2026, 1, 3, 4, 5));
});

test.each([
  '',
  '2026',
  '20261301000000',
  '20260230000000',
  '20260203250000',
  '20260203040506.',
  '2026020304050x',
])('there is no time %j', (text) => {
  expect(parseTimeValue(text)).toBeUndefined();
});
