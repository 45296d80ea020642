import { concat, utf8 } from '@sallyport/bytes';
import { describe, expect, test } from 'vitest';
import { createLineReader, maxLineBytes, type ReadLine } from './line-reader.ts';

const texts = (lines: readonly ReadLine[]) =>
  lines.map((line) => (line.kind === 'line' ? line.text : line.kind));
const bytes = (...values: number[]) => new Uint8Array(values);

test('ends lines at CRLF and at LF, over any cut', () => {
  const whole = utf8('USER ä\r\nPWD\nNOOP\r\n');
  for (let cut = 0; cut <= whole.length; cut++) {
    const reader = createLineReader();
    const lines = [...reader.push(whole.subarray(0, cut)), ...reader.push(whole.subarray(cut))];
    expect(texts(lines)).toEqual(['USER ä', 'PWD', 'NOOP']);
  }
});

test('keeps a CR that does not end the line', () => {
  expect(texts(createLineReader().push(utf8('CWD a\rb\r\n')))).toEqual(['CWD a\rb']);
});

test('takes a line of the longest length and refuses a longer one, once, and goes on', () => {
  const reader = createLineReader();
  const longest = 'x'.repeat(maxLineBytes);
  expect(texts(reader.push(utf8(`${longest}\n${longest}y\nNOOP\n`)))).toEqual([longest, 'too-long', 'NOOP']);
});

test('refuses what is not UTF-8', () => {
  expect(texts(createLineReader().push(concat(utf8('CWD '), bytes(0xc3, 0x28), utf8('\r\n'))))).toEqual([
    'malformed',
  ]);
});

describe('telnet commands', () => {
  test.each([
    ['IAC IP, IAC DM', bytes(0xff, 0xf4, 0xff, 0xf2)],
    ['an IAC whose DM went as urgent data', bytes(0xff, 0xf4, 0xff)],
    ['IAC WILL ECHO', bytes(0xff, 0xfb, 0x01)],
    ['a subnegotiation', bytes(0xff, 0xfa, 0x18, 0x00, 0x41, 0xff, 0xf0)],
    ['IAC IAC', bytes(0xff, 0xff, 0xf1)],
  ])('%s before ABOR is stripped', (_, telnet) => {
    expect(texts(createLineReader().push(concat(telnet, utf8('ABOR\r\n'))))).toEqual(['ABOR']);
  });

  test('a subnegotiation that never ends costs its line alone', () => {
    expect(texts(createLineReader().push(concat(bytes(0xff, 0xfa), utf8('abc\r\nNOOP\r\n'))))).toEqual([
      '',
      'NOOP',
    ]);
  });
});

test('discard forgets a line that has begun', () => {
  const reader = createLineReader();
  reader.push(utf8('PASS sec'));
  reader.discard();
  expect(texts(reader.push(utf8('NOOP\r\n')))).toEqual(['NOOP']);
});
