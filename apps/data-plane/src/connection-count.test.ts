import { describe, expect, it } from 'vitest';
import { createConnectionCount } from './connection-count.ts';

describe('createConnectionCount', () => {
  it('holds both limits and counts a leaving connection once', () => {
    const count = createConnectionCount();
    const limits = { maxConnections: 3, maxConnectionsPerAddress: 2 };
    const first = count.enter('a', limits);
    expect(count.enter('a', limits)).toBeDefined();
    expect(count.enter('a', limits)).toBeUndefined();
    expect(count.enter('b', limits)).toBeDefined();
    expect(count.enter('c', limits)).toBeUndefined();
    first?.();
    first?.();
    expect(count.enter('c', limits)).toBeDefined();
    expect(count.enter('a', limits)).toBeUndefined();
  });
});
