import { describe, expect, it } from 'vitest';
import { targetOf } from './target.ts';

describe('targetOf', () => {
  it.each([
    ['/', '/', 'directory'],
    ['/a/b.txt', '/a/b.txt', 'plain'],
    ['/a/', '/a', 'directory'],
    ['/a%20b/%C3%A9', '/a b/é', 'plain'],
    ['/caf\u00c3\u00a9', '/café', 'plain'],
    ['/100%25', '/100%', 'plain'],
    ['/%2541', '/%41', 'plain'],
    ['/a/../../b', '/b', 'plain'],
    ['/a/%2e%2E/b', '/b', 'plain'],
    ['/..%5c..%5cx', '/..\\..\\x', 'plain'],
    ['//a///b', '/a/b', 'plain'],
    ['https://host:8443/a', '/a', 'plain'],
    ['http://host', '/', 'plain'],
  ])('%s names %s', (raw, path, form) => {
    expect(targetOf(raw)).toEqual({ ok: true, value: { path, form } });
  });

  it.each([
    '/a%2Fb',
    '/a%2fb',
    '/a%00b',
    '/a%',
    '/a%zz',
    '/a%f',
    '/%C3',
    '/%ff',
    '/\u00ff',
    '/a?b',
    '/a#b',
    '*',
    'a',
    `/${'n'.repeat(256)}`,
    '/ab'.repeat(1_500),
  ])('%s is refused', (raw) => {
    expect(targetOf(raw)).toMatchObject({ ok: false, fault: { code: 'path-invalid' } });
  });
});
