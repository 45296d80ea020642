import { expect, test } from 'vitest';
import { fromBase32, toBase32 } from './base32.ts';
import { utf8 } from './bytes.ts';

// RFC 4648 section 10, without the padding.
test.each([
  ['', ''],
  ['f', 'MY'],
  ['fo', 'MZXQ'],
  ['foo', 'MZXW6'],
  ['foob', 'MZXW6YQ'],
  ['fooba', 'MZXW6YTB'],
  ['foobar', 'MZXW6YTBOI'],
])('%j is %s', (text, encoded) => {
  expect(toBase32(utf8(text))).toBe(encoded);
  expect(fromBase32(encoded)).toEqual(utf8(text));
});

test('every byte comes back', () => {
  for (let length = 0; length < 70; length++) {
    const bytes = Uint8Array.from({ length }, (_, at) => (at * 97 + length * 31) & 255);
    expect(fromBase32(toBase32(bytes))).toEqual(bytes);
  }
});

test.each(['A', 'AAA', 'AAAAAA', 'my', 'M1', 'MY==', 'MZ', 'Ä', '😀'])('%j is none', (text) => {
  expect(fromBase32(text)).toBeUndefined();
});
