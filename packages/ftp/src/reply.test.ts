import { expect, test } from 'vitest';
import { formatReply, quoted, reply } from './reply.ts';

test('one line', () => {
  expect(formatReply(reply(200, 'OK.'))).toBe('200 OK.\r\n');
});

test('several lines, none of which but the last looks like the last', () => {
  expect(formatReply(reply(211, 'Features:', 'UTF8', '211 not the end', 'End'))).toBe(
    '211-Features:\r\n UTF8\r\n 211 not the end\r\n211 End\r\n',
  );
});

test('a name with a line break in it stays on its line', () => {
  expect(formatReply(reply(257, quoted('/a\r\n230 in')))).toBe('257 "/a??230 in"\r\n');
});

test('quotes in a path are doubled', () => {
  expect(quoted('/a"b')).toBe('"/a""b"');
});
