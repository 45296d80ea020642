import { expect, test } from 'vitest';
import { createFairQueue } from './fair-queue.ts';

test('sources take turns, each in its own order', () => {
  const queue = createFairQueue<string>();
  for (const item of ['a1', 'a2', 'a3', 'a4']) queue.add('a', item);
  queue.add('b', 'b1');
  expect(queue.take()).toBe('a1');
  queue.add('c', 'c1');
  const rest: (string | undefined)[] = [];
  for (let item = queue.take(); item; item = queue.take()) rest.push(item);
  expect(rest).toEqual(['b1', 'a2', 'c1', 'a3', 'a4']);
  expect(queue.take()).toBeUndefined();
});
