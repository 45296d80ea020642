import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commands } from './command.ts';

test('docs/ftp.md names every command that is served', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/ftp.md'), 'utf8');
  expect(Object.keys(commands).filter((verb) => !new RegExp(`\\b${verb}\\b`).test(page))).toEqual([]);
});
