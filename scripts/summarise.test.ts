import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { run, temporaryFolder } from '../test/support/process.ts';
import { summarise } from './summarise.mjs';

const root = resolve(import.meta.dirname, '..');

/** The report of a real run of vitest over these test files. */
async function reportOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = temporaryFolder();
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  mkdirSync(join(folder, 'test'));
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, 'test', name), `import { beforeAll, test } from 'vitest';\n${text}`);
  }
  const report = join(folder, 'report.json');
  const args = ['run', '--root', folder, '--reporter=json', `--outputFile.json=${report}`];
  await run(join(root, 'node_modules', '.bin', 'vitest'), args, { env: { VITEST: undefined } });
  return readFileSync(report, 'utf8');
}

test('counts passed, failed and skipped tests, and files that break before their tests', async () => {
  // Texts of tests that another run of vitest counts; none of this file is skipped.
  const report = await reportOf({
    'a.test.ts': `test('a', () => {}); test('b', () => { throw new Error('no'); }); test.skip('c', () => {}); test.todo('d');`,
    'b.test.ts': `throw new Error('does not load');`,
    'c.test.ts': `beforeAll(() => { throw new Error('no'); }); test('e', () => {});`,
  });
  expect(summarise(report)).toEqual({ line: '1 passed, 3 failed, 3 skipped', passed: false });
});

test('leaves out what there is none of', async () => {
  expect(summarise(await reportOf({ 'a.test.ts': `test('a', () => {}); test('b', () => {});` }))).toEqual({
    line: '2 passed, 0 failed',
    passed: true,
  });
});

test.each(['', '{', '{}', 'null'])('a report that cannot be read is a failure: %j', (text) => {
  expect(summarise(text)).toEqual({ line: '0 passed, 1 failed', passed: false });
});

test('no test at all is no success', () => {
  expect(summarise('{"testResults":[]}').passed).toBe(false);
});
