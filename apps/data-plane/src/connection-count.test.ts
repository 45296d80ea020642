import { describe, expect, it } from 'vitest';
import { createConnectionCount } from './connection-count.ts';

describe('createConnectionCount', () => {
  it('holds both limits, and takes no more back than has come', () => {
    const count = createConnectionCount();
    const limits = { maxConnections: 3, maxConnectionsPerAddress: 2 };
    expect(['a', 'a', 'a', 'b', 'c'].map((address) => count.enter(address, limits))).toEqual([
      true,
      true,
      false,
      true,
      false,
    ]);
    count.leave('a');
    count.leave('stranger');
    expect(count.total).toBe(2);
    expect(count.enter('c', limits)).toBe(true);
    expect(count.enter('a', limits)).toBe(false);
  });
});
