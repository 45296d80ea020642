import { expect, test } from 'vitest';
import { createSessionStore, maxSessionLength } from './session-store.ts';

const session = (length: number, origin = 0) => ({ data: 'A'.repeat(length), control: 'c', origin });

test('keeps no more sessions than it may, and none longer than it may', async () => {
  let at = 0;
  const store = createSessionStore({ capacity: 2, lifetimeMs: 10, now: () => at });
  for (const id of ['a', 'b', 'c']) store.put(id, session(1));
  expect(await store.find('a')).toBeUndefined();
  expect(await store.find('c')).toBeDefined();
  at = 10;
  expect(await store.find('c')).toBeUndefined();
});

test('large client certificates cannot fill the memory with sessions', async () => {
  const store = createSessionStore({ capacity: 10, maxLength: 100, lifetimeMs: 10, now: () => 0 });
  store.put('a', session(60));
  store.put('a', session(40));
  store.put('b', session(60));
  store.put('huge', session(maxSessionLength + 1));
  expect(await store.find('a')).toBeDefined();
  expect(await store.find('huge')).toBeUndefined();
  store.put('c', session(30));
  expect(await store.find('a')).toBeUndefined();
  expect(await store.find('b')).toBeDefined();
  expect(await store.find('c')).toBeDefined();
});
