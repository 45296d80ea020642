import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../test/support/process.ts';
import { checkHouse } from './check-house.ts';
import { describeFinding } from './finding.ts';
import { readSourceTree } from './source-tree.ts';

function findingsWith(files: Readonly<Record<string, string>>): string[] {
  const root = temporaryFolder();
  const all = {
    'package.json': JSON.stringify({ dependencies: { nan: '2.30.0' } }),
    'packages/faults/package.json': JSON.stringify({
      name: '@sallyport/faults',
      exports: { '.': './src/index.ts' },
      dependencies: { zod: '4.6.7', '@sallyport/bytes': '*' },
    }),
    'packages/faults/src/index.ts': `// Comments are welcome.\nexport { a } from './a.ts';\nexport type { B } from './a.ts';\n`,
    'package-lock.json': '{\n  "packages": { "x": { "resolved": "packages/faults" } }\n}',
    ...files,
  };
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return checkHouse(readSourceTree(root)).map(describeFinding);
}

test('a tree that keeps the rules has no findings', () => {
  expect(findingsWith({})).toEqual([]);
});

test.each(['utils.ts', 'common/a.ts', 'helpers.test.ts', 'shared/b.ts', 'core/c.json'])(
  'the name %s is refused',
  (name) => {
    const path = `packages/faults/src/${name}`;
    expect(findingsWith({ [path]: '' }).filter((line) => line.includes('says nothing'))).toHaveLength(1);
  },
);

test.each([
  [`export * from './a.ts';`, 1],
  [`export * as a from './a.ts';`, 1],
  [`export { a } from './a.ts';\nexport const b = 1;`, 2],
  [`export { a } from './a.ts';\nimport './a.ts';`, 2],
  [`const a = 1;\nexport { a };`, 1],
  [`export default 1;`, 1],
])('index.ts holds nothing but named re-exports: %s', (text, line) => {
  expect(findingsWith({ 'packages/faults/src/index.ts': text })).toContainEqual(
    expect.stringContaining(`packages/faults/src/index.ts:${line}  index.ts holds`),
  );
});

test('an export that does not exist is found', () => {
  const manifest = JSON.stringify({ exports: { '.': './src/index.ts', './gone': './src/gone.ts' } });
  expect(findingsWith({ 'packages/faults/package.json': manifest })).toEqual([
    "packages/faults/package.json:1  exports './gone' as ./src/gone.ts, which does not exist",
  ]);
});

test('versions are exact and the same everywhere', () => {
  const manifest = (zod: string) => JSON.stringify({ dependencies: { zod } });
  expect(findingsWith({ 'packages/model/package.json': manifest('4.6.6') })).toEqual([
    "packages/model/package.json:1  'zod' is 4.6.6 here and 4.6.7 in packages/faults/package.json: choose one",
  ]);
  expect(findingsWith({ 'packages/model/package.json': manifest('^4.6.7') })).toEqual([
    "packages/model/package.json:1  'zod': '^4.6.7' is not an exact version",
  ]);
});

test('the lock file names no address and leaves out no platform', () => {
  const text = '{"packages": { "x": {\n  "resolved": "https://registry.example.org/zod.tgz"\n} } }';
  expect(findingsWith({ 'package-lock.json': text })).toEqual([
    expect.stringContaining('package-lock.json:2  names an address'),
  ]);
  const partial = '{"packages": { "x": { "optionalDependencies": { "x-darwin-arm64": "1.0.0" } } } }';
  expect(findingsWith({ 'package-lock.json': partial })).toEqual([
    expect.stringContaining("package-lock.json:1  has no entry for 'x-darwin-arm64'"),
  ]);
});
