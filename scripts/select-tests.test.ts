import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../test/support/process.ts';
import { selectTests } from './select-tests.mjs';

function folderOfTests(): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'ssh'));
  for (const file of ['ftp.test.ts', 'ftps.test.ts', 'ssh/keys.test.ts', 'ftp.ts'])
    writeFileSync(join(folder, file), '');
  return folder;
}

test('a name selects the files that start with it, and no name all', () => {
  const folder = folderOfTests();
  const names = (...wanted: string[]) =>
    selectTests(folder, wanted).files.map((path) => path.slice(folder.length + 1));
  expect(names('ftps')).toEqual(['ftps.test.ts']);
  expect(names('ftp')).toEqual(['ftp.test.ts', 'ftps.test.ts']);
  expect(names('ftps', 'ssh/')).toEqual(['ftps.test.ts', 'ssh/keys.test.ts']);
  expect(names()).toEqual(['ftp.test.ts', 'ftps.test.ts', 'ssh/keys.test.ts']);
});

test('a name that selects nothing is told, with what there is', () => {
  expect(selectTests(folderOfTests(), ['ftp', 'keys'])).toMatchObject({
    all: ['ftp', 'ftps', 'ssh/keys'],
    unknown: ['keys'],
  });
});
