import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../test/support/process.ts';
import { checkImports } from './check-imports.ts';
import { cycles } from './cycles.ts';
import { describeFinding } from './finding.ts';
import { layers } from './layers.ts';
import { readSourceTree } from './source-tree.ts';

/** A small tree of the same shape as the real one, with these files added or replaced; its findings as lines. */
function findingsWith(files: Readonly<Record<string, string>>): string[] {
  const root = temporaryFolder();
  const workspace = (folder: string, more = {}) =>
    JSON.stringify({
      name: `@sallyport/${folder.split('/')[1]}`,
      exports: { '.': './src/index.ts' },
      ...more,
    });
  const all = {
    'package.json': JSON.stringify({ devDependencies: { vitest: '1.0.0' } }),
    'packages/faults/package.json': workspace('packages/faults'),
    'packages/faults/src/index.ts': `export { fault } from './fault.ts';\n`,
    'packages/faults/src/fault.ts': `export const fault = 1;\n`,
    'packages/policy/package.json': workspace('packages/policy', {
      dependencies: { 'ipaddr.js': '2.5.0' },
      devDependencies: { '@types/typed': '1.0.0' },
    }),
    'packages/policy/src/index.ts': `export { decide } from './decide.ts';\n`,
    'packages/policy/src/decide.ts': `import { fault } from '@sallyport/faults';\nimport 'ipaddr.js';\nimport type { T } from 'typed/sub';\nexport const decide = fault;\n`,
    'packages/snapshot/package.json': workspace('packages/snapshot', {
      exports: { '.': './src/index.ts', './node': './src/index.ts', './publish': './src/publish.ts' },
    }),
    'packages/snapshot/src/index.ts': '',
    'packages/snapshot/src/publish.ts': '',
    'packages/files/package.json': workspace('packages/files', {
      exports: { '.': './src/index.ts', './disk': './src/disk.ts' },
    }),
    'packages/files/src/index.ts': '',
    'packages/files/src/disk.ts': `import 'node:fs';\nexport { join } from './disk-join.ts';`,
    'packages/files/src/disk-join.ts': `import 'path';\nexport const join = 1;`,
    'packages/store/package.json': workspace('packages/store'),
    'packages/store/src/index.ts': '',
    'packages/sftp/package.json': workspace('packages/sftp'),
    'packages/sftp/src/index.ts': '',
    'apps/data-plane/package.json': workspace('apps/data-plane'),
    'apps/data-plane/src/index.ts': `import 'node:net';\nimport '@sallyport/snapshot/node';\n`,
    'apps/control-plane/package.json': workspace('apps/control-plane'),
    'apps/control-plane/src/index.ts': `import '@sallyport/snapshot/publish';\nimport 'cloudflare:workers';\n`,
    'test/support/thing.ts': '',
    'test/e2e/story.test.ts': `import { test } from 'vitest';\nimport '../support/thing.ts';\nimport '@sallyport/sftp';`,
    ...files,
  };
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return checkImports(readSourceTree(root)).map(describeFinding);
}

test('a tree that keeps the rules has no findings', () => {
  expect(findingsWith({})).toEqual([]);
});

describe('a forbidden direction is found at its line, whatever form the import takes', () => {
  const forms = {
    static: `import { x } from '@sallyport/snapshot';`,
    'side effect': `import '@sallyport/snapshot';`,
    'type-only': `import type { X } from '@sallyport/snapshot';`,
    're-export': `export { x } from '@sallyport/snapshot';`,
    'star re-export': `export * from '@sallyport/snapshot';`,
    dynamic: `const load = () => import('@sallyport/snapshot');`,
    'dynamic with a template': 'const load = () => import(`@sallyport/snapshot`);',
    'type query': `type X = import('@sallyport/snapshot').X;`,
    require: `const x = require('@sallyport/snapshot');`,
  };
  for (const [form, text] of Object.entries(forms)) {
    test(form, () => {
      expect(findingsWith({ 'packages/policy/src/seed.ts': `\n${text}\n` })).toEqual([
        "packages/policy/src/seed.ts:2  packages/policy may not import '@sallyport/snapshot'; the directions are in scripts/layers.ts",
      ]);
    });
  }
});

test.each([
  ['apps/data-plane/src/seed.ts', '@sallyport/store'],
  ['apps/data-plane/src/seed.ts', '@sallyport/snapshot/publish'],
  ['apps/data-plane/src/seed.test.ts', '@sallyport/store'],
  ['apps/control-plane/src/seed.ts', '@sallyport/sftp'],
  ['apps/control-plane/src/seed.ts', '@sallyport/files'],
  ['packages/sftp/src/seed.ts', '@sallyport/files/disk'],
  ['packages/store/src/seed.ts', '@sallyport/data-plane'],
  ['packages/faults/src/seed.ts', '@sallyport/policy'],
  ['scripts/seed.ts', '@sallyport/faults'],
])('%s may not import %s', (file, specifier) => {
  const found = findingsWith({ [file]: `import '${specifier}';` });
  expect(found).toContainEqual(expect.stringContaining(`${file}:1  `));
  expect(found.join()).toContain(`may not import '${specifier}'`);
});

test.each(['node:fs', 'fs', 'crypto', 'fs/promises', 'node:test'])(
  'a neutral package may not import %s',
  (name) => {
    expect(findingsWith({ 'packages/policy/src/seed.ts': `import '${name}';` })).toEqual([
      expect.stringContaining(`packages/policy/src/seed.ts:1  '${name}' is Node's`),
    ]);
  },
);

test('tests of a neutral package may use Node', () => {
  expect(
    findingsWith({ 'packages/policy/src/seed.test.ts': `import 'node:fs';\nimport { test } from 'vitest';` }),
  ).toEqual([]);
});

test('an import of a computed name hides what it is', () => {
  expect(
    findingsWith({ 'packages/policy/src/seed.ts': 'export const load = (n: string) => import(n);' }),
  ).toEqual([expect.stringContaining('packages/policy/src/seed.ts:1  import of a computed name')]);
});

describe('cycles between files are found', () => {
  test('of type-only imports, naming the way round', () => {
    expect(
      findingsWith({
        'packages/policy/src/a.ts': `export type A = B;\nimport type { B } from './b.ts';`,
        'packages/policy/src/b.ts': `import type { C } from './c.ts';\nexport type B = C;`,
        'packages/policy/src/c.ts': `export type C = import('./a.ts').A;`,
      }),
    ).toEqual([
      'packages/policy/src/a.ts:2  cycle between files: packages/policy/src/a.ts -> packages/policy/src/b.ts -> packages/policy/src/c.ts -> packages/policy/src/a.ts; move what both need to a third file',
    ]);
  });
  test('through the index', () => {
    expect(
      findingsWith({
        'packages/policy/src/decide.ts': `import { decide as other } from './index.ts';\nexport const decide = other;`,
      }),
    ).toEqual([expect.stringContaining('cycle between files: packages/policy/src/decide.ts -> ')]);
  });
  test('in tests', () => {
    expect(
      findingsWith({ 'test/support/a.ts': `import './b.ts';`, 'test/support/b.ts': `import './a.ts';` }),
    ).toEqual([expect.stringContaining('cycle between files: test/support/a.ts -> test/support/b.ts')]);
  });
});

test('a cycle between workspaces is found even where no file is on one', () => {
  const found = findingsWith({
    'packages/faults/src/seed.ts': `import '@sallyport/policy';`,
    'packages/policy/src/index.ts': '',
    'packages/faults/src/index.ts': '',
  });
  expect(found).toContainEqual(
    expect.stringContaining(
      'cycle between workspaces: packages/faults -> packages/policy -> packages/faults',
    ),
  );
  expect(found.join()).not.toContain('cycle between files');
});

test.each([
  [`import '../../faults/src/fault.ts';`, 'leaves packages/policy'],
  [`import '../../../test/support/thing.ts';`, 'is for tests alone'],
  [`import './fixture/thing.ts';`, 'is for tests alone'],
  [`import './missing.ts';`, 'does not exist'],
  [`import './decide';`, 'does not exist'],
  [`import '@sallyport/nothing';`, "no workspace is named '@sallyport/nothing'"],
  [`import '@sallyport/faults/fault';`, "does not export './fault'"],
  [`import '@sallyport/policy';`, 'is this workspace'],
  [`import 'hono';`, "'hono' is not declared: add it with an exact version to packages/policy/package.json"],
  [`import '@scope/thing/sub';`, "'@scope/thing' (for '@scope/thing/sub') is not declared"],
  [`import 'vitest';`, "'vitest' is not declared"],
  [`import 'https://example.org/x.ts';`, 'is not declared'],
  [`import 'cloudflare:workers';`, 'is not declared'],
])('%s is refused', (text, message) => {
  expect(findingsWith({ 'packages/policy/src/seed.ts': text }).join()).toContain(message);
});

test('a test may use what supports tests, a fixture Node, and what its row grants tests', () => {
  const text = `import '../../../test/support/thing.ts';`;
  expect(findingsWith({ 'packages/policy/src/seed.test.ts': text })).toEqual([]);
  expect(findingsWith({ 'packages/sftp/src/seed.test.ts': `import '@sallyport/files/disk';` })).toEqual([]);
  expect(findingsWith({ 'packages/policy/src/fixture/seed.ts': `import 'node:fs';` })).toEqual([]);
});

test('a workspace without a row in the table and a file that does not parse are found', () => {
  expect(findingsWith({ 'packages/new/package.json': '{}' })).toEqual([
    expect.stringContaining('packages/new/package.json:1  no row for this workspace'),
  ]);
  expect(findingsWith({ 'packages/policy/src/seed.ts': '\nconst = 1;' })).toEqual([
    expect.stringMatching(/^packages\/policy\/src\/seed\.ts:2 {2}\S/),
  ]);
});

test('the table itself has no cycle and names only workspaces', () => {
  const folderOf = (name: string) =>
    Object.keys(layers).find((folder) => folder.endsWith(`/${name.split('/')[0]}`)) ?? `unknown ${name}`;
  const graph = new Map(
    Object.entries(layers).map(([folder, { may, testsMay = [] }]) => [
      folder,
      new Set([...may, ...testsMay].filter((name) => name !== '*').map(folderOf)),
    ]),
  );
  expect(cycles(graph)).toEqual([]);
  expect(
    [...graph.values()].flatMap((targets) => [...targets]).filter((t) => t.startsWith('unknown')),
  ).toEqual([]);
});

test('this repository keeps the directions', () => {
  expect(checkImports(readSourceTree(resolve(import.meta.dirname, '..'))).map(describeFinding)).toEqual([]);
});
