import { describe, expect, it } from 'vitest';
import { isPattern, literalPath, matchesPart, parseScpCommand, partsOf, type Word } from './command.ts';

const read = (command: string) => {
  const parsed = parseScpCommand(command);
  if (!parsed.ok) return parsed.fault.code;
  const { paths, ...rest } = parsed.value;
  return { ...rest, paths: paths.map(literalPath) };
};
const wordOf = (text: string): Word => {
  const parsed = parseScpCommand(`scp -f ${text}`);
  if (!parsed.ok) throw new Error(text);
  return parsed.value.paths[0] as Word;
};
const plain = { recursive: false, preserve: false, intoDirectory: false };

describe('parseScpCommand', () => {
  it.each([
    ['scp -t /in', { ...plain, role: 'sink', paths: ['/in'] }],
    [
      'scp -v -r -p -d -t -- -odd',
      { role: 'sink', recursive: true, preserve: true, intoDirectory: true, paths: ['-odd'] },
    ],
    ['scp -rpf a b', { ...plain, role: 'source', recursive: true, preserve: true, paths: ['a', 'b'] }],
    [
      'scp -f \'two words\' "and \\"more\\"" last\\ one',
      { ...plain, role: 'source', paths: ['two words', 'and "more"', 'last one'] },
    ],
    ['scp -t .', { ...plain, role: 'sink', paths: ['.'] }],
    ['scp -f ~/x', { ...plain, role: 'source', paths: ['/x'] }],
    ["scp -f '~/x'", { ...plain, role: 'source', paths: ['~/x'] }],
    ["scp -f '$(id);x'", { ...plain, role: 'source', paths: ['$(id);x'] }],
  ])('reads %s', (command, expected) => {
    expect(read(command)).toEqual(expected);
  });

  it.each([
    'id',
    'scp',
    'scp -t',
    'scp -t a b',
    'scp -t -f a',
    'scp -S /bin/sh -t a',
    'scp -t a; id',
    'scp -t a && id',
    'scp -t $(id)',
    'scp -t "`id`"',
    'scp -t a\nid',
    'scp -t a > b',
    "scp -t 'open",
    'scp -t back\\',
    '/bin/scp -t a',
    `scp -f ${'x'.repeat(20_000)}`,
    `scp -f ${'x '.repeat(300)}`,
    '',
  ])('refuses %j', (command) => {
    expect(read(command)).toBe('operation-unsupported');
  });
});

describe('patterns', () => {
  it.each([
    ['*.csv', 'a.csv', true],
    ['*.csv', '.csv', false],
    ['*.csv', 'a.txt', false],
    ['a?c', 'abc', true],
    ['a?c', 'aüc', true],
    ['*a*b*', 'xxaxxbxx', true],
    ['*a*b*', 'xxbxxaxx', false],
    ['\\*', 'anything', false],
    ['\\*', '*', true],
    ["'?'*", '?x', true],
    ['.*', '.hidden', true],
    [`${'*a'.repeat(30)}b`, 'a'.repeat(250), false],
  ])('%s and %s', (pattern, name, matches) => {
    expect(matchesPart(wordOf(pattern), name)).toBe(matches);
  });

  it('are patterns outside of quotes alone', () => {
    expect(isPattern(wordOf('in/*.csv'))).toBe(true);
    expect(isPattern(wordOf("'in/*.csv'"))).toBe(false);
    expect(partsOf(wordOf('/in/x')).length).toBe(3);
  });
});
