import { describe, expect, it } from 'vitest';
import { longname } from './longname.ts';

const now = Date.UTC(2026, 10, 24);
const attributes = {
  kind: 'file',
  size: 1234,
  mode: 0o640,
  uid: 1000,
  gid: 100,
  modifiedAt: Date.UTC(2026, 10, 5, 9, 7),
  accessedAt: 0,
} as const;

describe('longname', () => {
  it('is a line of ls -l', () => {
    expect(longname({ name: 'a b.txt', attributes }, now)).toBe(
      '-rw-r-----    1 1000     100              1234 Nov  5 09:07 a b.txt',
    );
  });
  it('shows the year of an old file, and the kind', () => {
    const old = {
      ...attributes,
      kind: 'directory',
      mode: 0o4755,
      modifiedAt: Date.UTC(2020, 0, 31),
    } as const;
    expect(longname({ name: 'd', attributes: old }, now)).toBe(
      'drwxr-xr-x    1 1000     100              1234 Jan 31  2020 d',
    );
  });
});
