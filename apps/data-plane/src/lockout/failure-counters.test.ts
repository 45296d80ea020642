import { expect, test } from 'vitest';
import { type CounterRule, createFailureCounters } from './failure-counters.ts';

const rule: CounterRule = { failures: 3, windowMs: 3_000, blockMs: 100, longestBlockMs: 300 };

function failing(capacity = 100) {
  const counters = createFailureCounters(capacity);
  return { counters, fail: (key: string, at: number) => counters.fail(key, rule, at) };
}

test('blocks with the failure that is one too many, and counts nothing while it blocks', () => {
  const { counters, fail } = failing();
  expect([fail('a', 0), fail('a', 1), fail('a', 2)]).toEqual([undefined, undefined, 102]);
  expect(counters.blockedUntil('a', 101)).toBe(102);
  expect(counters.blockedUntil('a', 102)).toBeUndefined();
  expect(counters.blockedUntil('b', 50)).toBeUndefined();
  expect(fail('a', 50)).toBeUndefined();
  expect(counters.blockedUntil('a', 102)).toBeUndefined();
});

test('failures leak away with time', () => {
  const { fail } = failing();
  for (let at = 0; at < 60_000; at += 1_100) expect(fail('slow', at)).toBeUndefined();
  expect([0, 200, 400, 600].map((at) => fail('fast', at))).toContainEqual(expect.any(Number));
});

test('blocks double up to a bound, and are short again after a long quiet', () => {
  const { fail } = failing();
  const blockFrom = (at: number) => {
    fail('a', at);
    fail('a', at);
    return (fail('a', at) ?? 0) - at;
  };
  expect([blockFrom(0), blockFrom(100), blockFrom(300), blockFrom(600)]).toEqual([100, 200, 300, 300]);
  expect(blockFrom(10_000)).toBe(100);
});

test('a key that is cleared begins anew', () => {
  const { counters, fail } = failing();
  for (const at of [0, 1, 2]) fail('a', at);
  counters.clear('a');
  expect(counters.blockedUntil('a', 3)).toBeUndefined();
  expect([fail('a', 3), fail('a', 4), fail('a', 5)]).toEqual([undefined, undefined, 105]);
});

test('a flood of keys makes it forget neither a block nor a key that is about to get one', () => {
  const { counters, fail } = failing(100);
  for (const at of [0, 1, 2]) fail('blocked', at);
  fail('near', 3);
  fail('near', 4);
  for (let flood = 0; flood < 5_000; flood++) fail(`flood-${flood}`, 5);
  expect(counters.size).toBeLessThanOrEqual(100);
  expect(counters.blockedUntil('blocked', 6)).toBe(102);
  expect(fail('near', 6)).toBe(106);
});

test('a clock that was set back neither empties nor fills a counter', () => {
  const { fail } = failing();
  expect([fail('a', 10_000), fail('a', 5_000), fail('a', 4_999)]).toEqual([undefined, undefined, 5_099]);
});
