import { describe, expect, it, test } from 'vitest';
import { account, accountCreate, homePath, loginName, newPassword, pathPermission } from './account.ts';

const taken = (schema: { safeParse(value: unknown): { success: boolean } }, value: unknown) =>
  schema.safeParse(value).success;

describe('loginName', () => {
  test.each([
    'a',
    'alice',
    'ACME-ci_1',
    'a.b@example.com',
    'jose\u0301',
    'Müller',
    '田中',
    '😀',
    'a b',
    'a*b',
    'x'.repeat(80),
  ])('%j is one', (name) => {
    expect(taken(loginName, name)).toBe(true);
  });

  test.each([
    '',
    'x'.repeat(81),
    ' a',
    '*',
    '*a',
    'a+b',
    'a:b',
    'a[b',
    'a/b',
    'a\\b',
    '../a',
    'a\nb',
    'a\r',
    'a\tb',
    'a\0',
    '\0',
    'a\u007f',
    'a\u0085b',
    '\u00a0a',
    'a\u2028b',
    '\ud800',
    'a\udc00',
    7,
    null,
  ])('%j is none', (name) => {
    expect(taken(loginName, name)).toBe(false);
  });
});

describe('homePath', () => {
  test.each(['/a', '/partners/acme', '/a b/ü', '/...', '/.hidden'])('%j is one', (path) => {
    expect(taken(homePath, path)).toBe(true);
  });
  test.each([
    '',
    '/',
    'a',
    '/a/',
    '//a',
    '/a//b',
    '/.',
    '/..',
    '/a/../b',
    '/a/.',
    '/a\0',
    '/a\nb',
    '/\ud800',
  ])('%j is none', (path) => {
    expect(taken(homePath, path)).toBe(false);
  });
});

describe('pathPermission', () => {
  test.each(['/', '/in', '/in/', '/in/done', '/a b', '/..a'])('%j is a path', (path) => {
    expect(taken(pathPermission, { path, allow: ['read'] })).toBe(true);
  });
  // A permission for `/secret/../x` would never be found, and what it closes would be open.
  test.each(['', 'in', '/..', '/in/../secret', '/./in', '/in/.', '/a\0'])('%j is none', (path) => {
    expect(taken(pathPermission, { path, allow: [] })).toBe(false);
  });
  it('knows its operations', () => {
    expect(taken(pathPermission, { path: '/', allow: ['everything'] })).toBe(false);
  });
});

describe('account', () => {
  it('needs a zone: it is never implied', () => {
    expect(taken(accountCreate, { name: 'alice' })).toBe(false);
    expect(taken(accountCreate, { name: 'alice', zones: [] })).toBe(false);
    expect(accountCreate.parse({ name: 'alice', zones: ['z'] })).toEqual({
      name: 'alice',
      zones: ['z'],
      groups: [],
      enabled: true,
      locked: false,
      permissions: [{ path: '/', allow: expect.arrayContaining(['read', 'write', 'delete']) }],
      limits: { maxSessions: 100 },
      uploadMode: 'staged',
    });
  });

  it('shows of its password that there is one and no more', () => {
    expect(account.shape.password.options).toEqual(['set', 'none']);
  });

  test.each([
    ['short', false],
    ['12345678', true],
    ['x'.repeat(1_024), true],
    ['x'.repeat(1_025), false],
  ])('takes the password %.12j: %s', (password, expected) => {
    expect(taken(newPassword, password)).toBe(expected);
  });
});
