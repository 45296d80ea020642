import { expect, test } from 'vitest';
import { jsonPointer, unstorableText } from './request-text.ts';

test('a pointer escapes what RFC 6901 section 3 has it escape', () => {
  expect(jsonPointer([])).toBe('');
  expect(jsonPointer(['a/b', 'c~d', 0, ''])).toBe('/a~1b/c~0d/0/');
});

test.each([
  ['"a\\u0000"', ''],
  ['{"a":[1,{"b":"\\ud800x"}]}', '/a/1/b'],
  ['{"a":{"\\udc00":1}}', '/a'],
])('%s holds text that no database gives back: %s', (json, pointer) => {
  expect(unstorableText(JSON.parse(json))).toBe(pointer);
});

test.each(['null', '1', '"ünïcödé \\ud83d\\ude00 \\n"', '{"a":[null,true,{"b":"c"}]}'])(
  '%s is storable',
  (json) => {
    expect(unstorableText(JSON.parse(json))).toBeUndefined();
  },
);

test('depth costs no more than length', () => {
  const deep = (levels: number) => JSON.parse(`${'['.repeat(levels)}"\\u0000"${']'.repeat(levels)}`);
  const started = performance.now();
  expect(unstorableText(deep(100_000))).toBe('/0'.repeat(32));
  expect(performance.now() - started).toBeLessThan(2_000);
});
