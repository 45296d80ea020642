import { unwrap } from '@sallyport/faults';
import { describe, expect, it } from 'vitest';
import { childOf, nameOf, namesOf, parentOf, rootPath, virtualPath } from './path.ts';

describe('virtualPath', () => {
  it.each([
    ['', '/in', '/in'],
    ['/', '/in', '/'],
    ['a', '/in', '/in/a'],
    ['/a', '/in', '/a'],
    ['..', '/in/deep', '/in'],
    ['../../../..', '/in', '/'],
    ['./a//b/./', '/', '/a/b'],
    ['/a/../../b', '/', '/b'],
    ['...', '/', '/...'],
    ['a\nb', '/', '/a\nb'],
  ])('resolves %j from %s', (text, from, path) => {
    expect(virtualPath(text, unwrap(virtualPath(from)))).toEqual({ ok: true, value: path });
  });

  it.each(['a\0b', 'n'.repeat(256), 'é'.repeat(128), '/ab'.repeat(1_400)])('refuses %j', (text) => {
    expect(virtualPath(text)).toMatchObject({ ok: false, fault: { code: 'path-invalid' } });
  });

  it('takes the longest name', () => {
    expect(virtualPath('n'.repeat(255)).ok).toBe(true);
  });
});

describe('the parts of a path', () => {
  it('are its names, its parent and its last name', () => {
    const path = unwrap(virtualPath('/a/b/c'));
    expect(namesOf(path)).toEqual(['a', 'b', 'c']);
    expect([parentOf(path), nameOf(path)]).toEqual(['/a/b', 'c']);
    expect([parentOf(rootPath), nameOf(rootPath), namesOf(rootPath)]).toEqual(['/', '', []]);
  });

  it('childOf takes a single name only', () => {
    expect(childOf(rootPath, 'a b')).toEqual({ ok: true, value: '/a b' });
    for (const name of ['', '.', '..', 'a/b', 'a\0']) expect(childOf(rootPath, name).ok).toBe(false);
  });
});
