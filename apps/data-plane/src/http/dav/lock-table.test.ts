import { describe, expect, it } from 'vitest';
import { parseIf } from './if-header.ts';
import { lockSeconds } from './lock.ts';
import { type Lock, locksInMemory } from './lock-table.ts';

const lock = (path: string, more: Partial<Lock> = {}): Lock => ({
  token: `urn:uuid:${path}`,
  path,
  depth: 'infinity',
  principal: 'acme',
  owner: '',
  until: 100,
  ...more,
});

describe('locks', () => {
  it('hold for what is below, not for what is beside', async () => {
    const table = locksInMemory();
    expect(await table.acquire(lock('/h/a'), 0)).toBe('acquired');
    expect(await table.acquire(lock('/h/a/b'), 0)).toBe('conflict');
    expect(await table.acquire(lock('/h'), 0)).toBe('conflict');
    expect(await table.acquire(lock('/h', { depth: '0' }), 0)).toBe('acquired');
    expect(await table.acquire(lock('/h/ab'), 0)).toBe('acquired');
    const tokens = async (path: string, reach: 'self' | 'member' | 'tree') =>
      (await table.covering(path, reach, 0)).map(({ path: at }) => at).sort();
    expect(await tokens('/h/a/x', 'self')).toEqual(['/h/a']);
    expect(await tokens('/h/new', 'self')).toEqual([]);
    expect(await tokens('/h/new', 'member')).toEqual(['/h']);
    expect(await tokens('/h', 'tree')).toEqual(['/h', '/h/a', '/h/ab']);
    await table.forget('/h/a');
    expect(await tokens('/h/a/x', 'self')).toEqual([]);
  });

  it('end by themselves, and are never too many', async () => {
    const table = locksInMemory();
    for (let count = 0; count < 500; count++) await table.acquire(lock(`/h/${count}`), 0);
    expect(await table.acquire(lock('/h/more'), 0)).toBe('full');
    expect(await table.acquire(lock('/h/more', { principal: 'other' }), 0)).toBe('acquired');
    expect(await table.covering('/h/1', 'self', 100)).toEqual([]);
    expect(await table.acquire(lock('/h/later', { until: 300 }), 200)).toBe('acquired');
  });
});

it('reads times within bounds', () => {
  expect(
    ['Second-60', 'Infinite, Second-4100000000', 'Second-9999999999', undefined, 'x'].map(lockSeconds),
  ).toEqual([60, 3_600, 3_600, 600, 600]);
});

it('reads If headers', () => {
  expect(parseIf('(<urn:a> ["e"]) (Not <urn:b>)')).toEqual([
    {
      tag: undefined,
      conditions: [
        { kind: 'token', value: 'urn:a', expected: 'holds' },
        { kind: 'etag', value: '"e"', expected: 'holds' },
      ],
    },
    { tag: undefined, conditions: [{ kind: 'token', value: 'urn:b', expected: 'fails' }] },
  ]);
  expect(parseIf('<http://h/x> (<urn:a>)')?.[0]?.tag).toBe('http://h/x');
  for (const wrong of ['', '()', '(<a>', '<x>', 'a', `(${'<a>'.repeat(5_000)})`])
    expect(parseIf(wrong)).toBeUndefined();
});
