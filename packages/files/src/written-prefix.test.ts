import { describe, expect, it } from 'vitest';
import { WrittenPrefix } from './written-prefix.ts';

describe('WrittenPrefix', () => {
  it('grows with writes in order', () => {
    const prefix = new WrittenPrefix();
    prefix.add(0, 10);
    prefix.add(10, 30);
    expect(prefix.length).toBe(30);
  });

  it('ends before a hole, and passes it when it is filled', () => {
    const prefix = new WrittenPrefix();
    prefix.add(20, 30);
    prefix.add(0, 10);
    prefix.add(30, 40);
    expect(prefix.length).toBe(10);
    prefix.add(10, 20);
    expect(prefix.length).toBe(40);
  });

  it('takes writes that overlap', () => {
    const prefix = new WrittenPrefix(5);
    prefix.add(8, 12);
    prefix.add(8, 20);
    prefix.add(3, 9);
    expect(prefix.length).toBe(20);
  });

  it('follows a cut, and does not believe a growth', () => {
    const prefix = new WrittenPrefix(100);
    prefix.truncate(40);
    prefix.add(60, 80);
    prefix.truncate(70);
    expect(prefix.length).toBe(40);
    prefix.add(40, 60);
    expect(prefix.length).toBe(70);
    prefix.truncate(1_000);
    expect(prefix.length).toBe(70);
  });

  it('is the same for every order of the same writes', () => {
    const writes = Array.from({ length: 40 }, (_, i) => [i * 10, i * 10 + 10] as const);
    for (let turn = 1; turn < 40; turn += 6) {
      const prefix = new WrittenPrefix();
      for (let i = 0; i < writes.length; i++)
        prefix.add(...(writes[(i * 7 + turn) % 40] as [number, number]));
      expect(prefix.length).toBe(400);
    }
  });

  it('remembers a bounded number of pieces', () => {
    const prefix = new WrittenPrefix();
    for (let piece = 1; piece < 10_000; piece++) prefix.add(piece * 10, piece * 10 + 10);
    prefix.add(0, 10);
    expect(prefix.length).toBe(2_570);
  });
});
