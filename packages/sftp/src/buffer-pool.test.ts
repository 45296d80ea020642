import { expect, it } from 'vitest';
import { BufferPool } from './buffer-pool.ts';

it('lends a buffer to one at a time, and again', () => {
  const pool = new BufferPool(1);
  const first = pool.take(100_000);
  const second = pool.take(200_000);
  expect(first.buffer).not.toBe(second.buffer);
  pool.give(first.subarray(10));
  pool.give(first);
  pool.give(second);
  const third = pool.take(50_000);
  expect(third.length).toBe(50_000);
  expect(third.buffer).toBe(first.buffer);
  expect(pool.take(50_000).buffer).not.toBe(second.buffer);
});

it('keeps nothing that it has not lent', () => {
  const pool = new BufferPool();
  const foreign = new Uint8Array(262_148);
  pool.give(foreign);
  expect(pool.take(262_148).buffer).not.toBe(foreign.buffer);
  expect(pool.take(10).buffer.byteLength).toBe(10);
});
