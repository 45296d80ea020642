import { expect, test } from 'vitest';
import { clear, rules, run } from '../fixture/run.ts';
import { initialState } from './control-state.ts';
import { createLineReader } from './line-reader.ts';
import { decodeText, encodeText } from './name-encoding.ts';

const every = Uint8Array.from({ length: 256 }, (_, byte) => byte);

test('every byte is a character of ISO 8859-1, there and back', () => {
  const text = decodeText(every, 'latin-1') as string;
  expect(text.slice(0xe4, 0xe6)).toBe('äå');
  expect(encodeText(text, 'latin-1')).toEqual(every);
  expect(encodeText('ä€😀', 'latin-1')).toEqual(Uint8Array.of(0xe4, 0x3f, 0x3f));
});

test('UTF-8 is read strictly', () => {
  expect(decodeText(encodeText('ä€😀', 'utf-8'), 'utf-8')).toBe('ä€😀');
  for (const bytes of [[0xe4], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80]]) {
    expect(decodeText(Uint8Array.from(bytes), 'utf-8')).toBeUndefined();
  }
});

test('lines in one byte a character, where a doubled IAC is a letter', () => {
  const reader = createLineReader(() => 'latin-1');
  const bytes = Uint8Array.of(0x4d, 0xe4, 0xff, 0xff, 0xff, 0xf4, 0x0d, 0x0a);
  expect(reader.push(bytes)).toEqual([{ kind: 'line', text: 'Mäÿ' }]);
});

test('a client may ask for UTF-8, and give it up where there is something else', () => {
  const old = initialState({ ...rules, nameEncoding: 'latin-1' }, 'clear');
  expect(old.encoding).toBe('latin-1');
  const asked = run(old, 'OPTS UTF8 ON');
  expect(asked).toMatchObject({ codes: [200], state: { encoding: 'utf-8' } });
  expect(run(asked.state, 'OPTS UTF8 OFF')).toMatchObject({ codes: [200], state: { encoding: 'latin-1' } });
  expect(run(clear, 'OPTS UTF8', 'OPTS UTF8 OFF', 'OPTS UTF8 maybe').codes).toEqual([200, 504, 501]);
});
