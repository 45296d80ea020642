import { describe, expect, it } from 'vitest';
import { openMode } from './open-mode.ts';

const [R, W, A, C, T, X] = [1, 2, 4, 8, 16, 32] as const;

describe('openMode', () => {
  it.each([
    [R, { kind: 'read' }],
    [W, { kind: 'write', mode: 'update', mustExist: false, append: false, readable: false }],
    [W | C, { mode: 'update-or-create' }],
    [W | C | T, { mode: 'replace', mustExist: false }],
    [W | T, { mode: 'replace', mustExist: true }],
    [W | C | X, { mode: 'create' }],
    [W | C | X | T, { mode: 'create' }],
    [W | X, { mode: 'update' }],
    [W | C | A, { mode: 'update-or-create', append: true }],
    [R | W | C, { mode: 'update-or-create', readable: true }],
  ])('maps flags %i', (flags, expected) => {
    expect(openMode(flags)).toMatchObject({ ok: true, value: expected });
  });

  it.each([0, A, C | T, R | C, R | T, R | 0x40, W | 0x8000_0000])('refuses flags %i', (flags) => {
    expect(openMode(flags)).toMatchObject({ ok: false, fault: { code: 'invalid-request' } });
  });
});
