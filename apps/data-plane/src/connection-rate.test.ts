import { expect, it } from 'vitest';
import { createConnectionRate } from './connection-rate.ts';

it('lets a source open as many as in a minute, at once or one after the other', () => {
  let now = 0;
  const rate = createConnectionRate(() => now);
  const admitted = (count: number, source = 'a') =>
    Array.from({ length: count }, () => rate.admit(source, 60)).filter(Boolean).length;
  expect(admitted(100)).toBe(60);
  expect(admitted(1, 'b')).toBe(1);
  now += 1_000;
  expect(admitted(2)).toBe(1);
  now += 3_600_000;
  expect(admitted(100)).toBe(60);
});

it('forgets sources that have all of their share again', () => {
  let now = 0;
  const rate = createConnectionRate(() => now);
  for (let source = 0; source < 10_000; source++) rate.admit(String(source), 60);
  expect(rate.admit('late', 60)).toBe(true);
  now += 60_000;
  for (let source = 0; source < 10_000; source++) expect(rate.admit(`again-${source}`, 60)).toBe(true);
});
