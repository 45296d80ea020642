import type { VirtualPath } from '@sallyport/files';
import { describe, expect, it } from 'vitest';
import { type Access, mustWait } from './access.ts';
import type { OpenHandle } from './handles.ts';

const path = (text: string) => text as VirtualPath;
const upload = (at: string) => ({ kind: 'upload', path: path(at) }) as OpenHandle;
const a = upload('/in/a');
const other = upload('/in/b');
const onPath = (effect: Access['effect'], ...paths: string[]): Access => ({ paths: paths.map(path), effect });
const onHandle = (handle: OpenHandle, effect: Access['effect'], range?: [number, number]): Access => ({
  handle,
  paths: [],
  effect,
  ...(range ? { range: { from: range[0], to: range[1] } } : {}),
});

describe('mustWait', () => {
  it.each<[string, boolean, Access, Access]>([
    ['reads of one handle', false, onHandle(a, 'read'), onHandle(a, 'read')],
    ['writes side by side', false, onHandle(a, 'write', [0, 10]), onHandle(a, 'write', [10, 20])],
    ['writes that overlap', true, onHandle(a, 'write', [0, 10]), onHandle(a, 'write', [9, 20])],
    ['a close behind a write', true, onHandle(a, 'write', [0, 10]), onHandle(a, 'exclusive')],
    ['a read behind a write', true, onHandle(a, 'write', [0, 10]), onHandle(a, 'read')],
    ['a write behind a read', true, onHandle(a, 'read'), onHandle(a, 'write', [0, 10])],
    ['handles of different files', false, onHandle(a, 'exclusive'), onHandle(other, 'exclusive')],
    ['two handles of one file', true, onHandle(a, 'exclusive'), onHandle(upload('/in/a'), 'read')],
    ['a stat behind a close', true, onHandle(a, 'exclusive'), onPath('read', '/in/a')],
    ['a stat of the directory behind a close', true, onHandle(a, 'exclusive'), onPath('read', '/in')],
    ['a stat of another file behind a close', false, onHandle(a, 'exclusive'), onPath('read', '/in/b')],
    ['a removal behind a read', false, onHandle(a, 'read'), onPath('exclusive', '/in/a')],
    ['a write behind a rename', true, onPath('exclusive', '/in', '/out'), onHandle(a, 'write', [0, 1])],
    ['stats', false, onPath('read', '/in'), onPath('read', '/in')],
    ['an open below a mkdir', true, onPath('exclusive', '/in'), onPath('exclusive', '/in/x')],
    ['siblings', false, onPath('exclusive', '/in/x'), onPath('exclusive', '/in/y')],
    ['names with one beginning', false, onPath('exclusive', '/in'), onPath('exclusive', '/inbox')],
    ['the target of a rename', true, onPath('exclusive', '/a', '/b'), onPath('read', '/b/c')],
    ['anything and the root', true, onPath('exclusive', '/'), onPath('read', '/b/c')],
  ])('%s', (_, expected, earlier, later) => {
    expect(mustWait(earlier, later)).toBe(expected);
  });
});
