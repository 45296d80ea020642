import { expect, test } from 'vitest';
import { parseCommand } from './command.ts';

test.each([
  ['user anna', { kind: 'command', verb: 'USER', argument: 'anna' }],
  ['CWD  two spaces ', { kind: 'command', verb: 'CWD', argument: ' two spaces ' }],
  ['XPWD', { kind: 'command', verb: 'PWD', argument: '' }],
  ['PASS', { kind: 'command', verb: 'PASS', argument: '' }],
  ['USER', { kind: 'syntax', verb: 'USER' }],
  ['PWD x', { kind: 'syntax', verb: 'PWD' }],
  ['SMNT x', { kind: 'unserved' }],
  ['constructor', { kind: 'unknown' }],
  ['__proto__ x', { kind: 'unknown' }],
  ['', { kind: 'unknown' }],
])('%j', (line, parsed) => {
  expect(parseCommand(line)).toEqual(parsed);
});
