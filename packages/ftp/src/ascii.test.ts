import { concat, fromUtf8, utf8 } from '@sallyport/bytes';
import { expect, test } from 'vitest';
import { type AsciiConverter, fromNetworkAscii, toNetworkAscii } from './ascii.ts';

/** Converts a text cut at every place in turn. */
function everyCut(make: () => AsciiConverter, text: string): Set<string> {
  const whole = utf8(text);
  const results = new Set<string>();
  for (let cut = 0; cut <= whole.length; cut++) {
    const converter = make();
    results.add(
      fromUtf8(
        concat(converter.push(whole.subarray(0, cut)), converter.push(whole.subarray(cut)), converter.end()),
      ),
    );
  }
  return results;
}

test('to the wire', () => {
  expect(everyCut(toNetworkAscii, 'a\nb\r\nc\rd\n')).toEqual(new Set(['a\r\nb\r\nc\rd\r\n']));
});

test('from the wire', () => {
  expect(everyCut(fromNetworkAscii, 'a\r\nb\nc\rd\r\r\n\r')).toEqual(new Set(['a\nb\nc\rd\r\n\r']));
});
