import { everyone } from '@sallyport/model';
import { describe, expect, it, test } from 'vitest';
import { userClass } from '../fixture/login.ts';
import { classOf, matchesPattern } from './user-class.ts';

describe('matchesPattern', () => {
  test.each([
    ['*', '', true],
    ['*', 'anything', true],
    ['', '', true],
    ['', 'a', false],
    ['?', '', false],
    ['?', 'a', true],
    ['?', 'ab', false],
    ['??*', 'a', false],
    ['??*', 'ab', true],
    ['acme-*', 'acme-ci', true],
    ['acme-*', 'acme-', true],
    ['acme-*', 'acme', false],
    ['acme-*', 'xacme-ci', false],
    ['*-ci', 'acme-ci', true],
    ['*-ci', 'acme-ci2', false],
    ['*-ci', '-ci-ci', true],
    ['a*b*c', 'aXbYbZc', true],
    ['a*b*c', 'aXcYb', false],
    ['**a**', 'a', true],
    ['*?*', '', false],
    // The text may hold what is special in a pattern.
    ['a?c', 'a*c', true],
    ['a*c', 'a*c', true],
    ['*a', '*a', true],
    ['?a', '*a', true],
    // Nothing else is special.
    ['a.c', 'abc', false],
    ['[ab]', 'a', false],
    ['a+', 'aa', false],
    ['(a|b)', 'a', false],
    ['^a$', 'a', false],
    ['a\\*', 'a\\xyz', true],
    ['A*', 'abc', false],
    // One character is one code point.
    ['?', '😀', true],
    ['??', '😀', false],
    ['*😀?', 'a😀b', true],
  ])('%j on %j: %s', (pattern, text, matches) => {
    expect(matchesPattern(pattern, text)).toBe(matches);
  });

  it('agrees with a regular expression', () => {
    const letters = ['a', 'b', '*', '?'];
    const words = (length: number): string[] =>
      length === 0 ? [''] : words(length - 1).flatMap((word) => letters.map((letter) => word + letter));
    const texts = [0, 1, 2, 3, 4].flatMap(words).filter((text) => !text.includes('?'));
    for (const pattern of [0, 1, 2, 3, 4].flatMap(words)) {
      const expression = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's');
      for (const text of texts) {
        if (text.includes('*')) continue;
        if (matchesPattern(pattern, text) !== expression.test(text)) expect.fail(`${pattern} on ${text}`);
      }
    }
  });

  test.each([
    [`${'*a'.repeat(127)}b`, 'a'.repeat(512)],
    [`${'*'.repeat(254)}b`, 'a'.repeat(512)],
    [`${'?*'.repeat(127)}b`, 'a'.repeat(512)],
    [`*${'a'.repeat(253)}b`, 'a'.repeat(512)],
  ])('stays fast on %.20s…', (pattern, text) => {
    const started = performance.now();
    for (let i = 0; i < 20; i++) expect(matchesPattern(pattern, text)).toBe(false);
    // 20 × |pattern| × |text| steps are some milliseconds; backtracking would not end.
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe('classOf', () => {
  const facts = { name: 'acme-ci', source: '192.0.2.7', groups: ['partners', 'nightly'] };
  const idOf = (...args: Parameters<typeof classOf>) => {
    const found = classOf(...args);
    return typeof found === 'object' ? found.id : found;
  };

  it('is the first enabled one that matches', () => {
    const first = userClass({ id: 'first', namePattern: 'acme-*' });
    expect(idOf([first, everyone], facts)).toBe('first');
    expect(idOf([everyone, first], facts)).toBe('everyone');
    expect(idOf([{ ...first, enabled: false }, everyone], facts)).toBe('everyone');
    expect(idOf([{ ...first, enabled: false }], facts)).toBeUndefined();
    expect(idOf([], facts)).toBeUndefined();
  });

  it('needs name, source and group together', () => {
    const narrow = userClass({
      id: 'narrow',
      namePattern: 'acme-*',
      group: 'partners',
      sources: ['192.0.2.0/24', '2001:db8::/32'],
    });
    expect(idOf([narrow], facts)).toBe('narrow');
    expect(idOf([narrow], { ...facts, source: '2001:db8::1' })).toBe('narrow');
    expect(idOf([narrow], { ...facts, source: '::ffff:192.0.2.7' })).toBe('narrow');
    expect(idOf([narrow], { ...facts, source: '198.51.100.1' })).toBeUndefined();
    expect(idOf([narrow], { ...facts, source: 'garbage' })).toBeUndefined();
    expect(idOf([narrow], { ...facts, name: 'other' })).toBeUndefined();
    expect(idOf([narrow], { ...facts, groups: ['partner'] })).toBeUndefined();
    expect(idOf([narrow], { ...facts, groups: [] })).toBeUndefined();
  });

  it('is undetermined only where an unknown group decides', () => {
    const partners = userClass({ id: 'partners', group: 'partners', namePattern: 'acme-*' });
    const unknown = { ...facts, groups: 'unknown' } as const;
    expect(idOf([partners, everyone], unknown)).toBe('undetermined');
    expect(idOf([partners, everyone], { ...unknown, name: 'other' })).toBe('everyone');
    expect(idOf([everyone, partners], unknown)).toBe('everyone');
    expect(idOf([{ ...partners, enabled: false }, everyone], unknown)).toBe('everyone');
    // An account in a group that is called `*` is in no special one.
    expect(idOf([partners], { ...facts, groups: ['*'] })).toBeUndefined();
  });

  it('is undetermined for a name that is longer than any account’s', () => {
    expect(idOf([everyone], { ...facts, name: 'x'.repeat(513) })).toBe('undetermined');
    expect(idOf([everyone], { ...facts, name: 'x'.repeat(512) })).toBe('everyone');
  });
});
