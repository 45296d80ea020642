import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { inProcessFeed, pollingFeed } from './change-feed.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const never = new AbortController().signal;
const states = new WeakMap<Promise<void>, boolean>();
const watched = (wait: Promise<void>) => {
  states.set(wait, false);
  wait.then(() => states.set(wait, true));
  return wait;
};
const woken = async (wait: Promise<void>) => {
  await vi.advanceTimersByTimeAsync(0);
  return states.get(wait);
};

test('an announcement wakes those who wait for its zone', async () => {
  const feed = inProcessFeed();
  const waits = [feed.wait('a', feed.position('a'), 1_000, never), feed.wait('a', 0, 1_000, never)].map(
    watched,
  );
  const other = watched(feed.wait('b', feed.position('b'), 1_000, never));
  feed.announce('a');
  for (const wait of waits) expect(await woken(wait)).toBe(true);
  expect(await woken(other)).toBe(false);
});

test('what was announced after the position is not waited for, and what was before it is', async () => {
  const feed = inProcessFeed();
  const before = feed.position('a');
  feed.announce('a');
  expect(await woken(watched(feed.wait('a', before, 1_000, never)))).toBe(true);
  expect(await woken(watched(feed.wait('a', feed.position('a'), 1_000, never)))).toBe(false);
});

test('it ends after its time, after the period of a shared database, and when the caller goes', async () => {
  const alone = watched(inProcessFeed().wait('a', 0, 1_000, never));
  const shared = watched(inProcessFeed(300).wait('a', 0, 1_000, never));
  const polling = watched(pollingFeed(300).wait('a', 0, 1_000, never));
  const gone = new AbortController();
  const left = watched(inProcessFeed().wait('a', 0, 1_000, gone.signal));
  await vi.advanceTimersByTimeAsync(300);
  expect([await woken(alone), await woken(shared), await woken(polling)]).toEqual([false, true, true]);
  await vi.advanceTimersByTimeAsync(600);
  expect([await woken(alone), await woken(left)]).toEqual([false, false]);
  gone.abort();
  expect(await woken(left)).toBe(true);
  await vi.advanceTimersByTimeAsync(100);
  expect(await woken(alone)).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
  expect(await woken(watched(inProcessFeed().wait('a', 0, 1_000, gone.signal)))).toBe(true);
});
