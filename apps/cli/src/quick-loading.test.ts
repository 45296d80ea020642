import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { run, temporaryFolder } from '../../../test/support/process.ts';

const quickly = pathToFileURL(join(import.meta.dirname, 'quick-loading.mjs')).href;

/** Runs a module of this package, among these others, with quick loading and without; answers what it printed. */
async function printed(files: Readonly<Record<string, string>>): Promise<{ quick: string; plain: string }> {
  const folder = temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  const main = join(folder, 'packages/ours/main.ts');
  const start = join(folder, 'start.mjs');
  writeFileSync(
    start,
    `import { loadQuickly } from '${quickly}';\nloadQuickly();\nawait import(${JSON.stringify(main)});\n`,
  );
  const [quick, plain] = await Promise.all([
    run(process.execPath, [start]),
    run(process.execPath, [main], { cwd: folder }),
  ]);
  expect({ quick: quick.stderr, plain: plain.stderr }).toEqual({ quick: '', plain: '' });
  return { quick: quick.stdout, plain: plain.stdout };
}

test('finds what Node finds: folders of another format, versions of a package’s own, require beside import', async () => {
  const { quick, plain } = await printed({
    'packages/ours/package.json': '{"type":"module"}',
    'packages/ours/main.ts': `
      import { seen } from './part/first.ts';
      import { two } from './part/second.ts';
      const list: string[] = [...seen, two];
      console.log(list.join(' '));`,
    'packages/ours/part/first.ts': `
      import { createRequire } from 'node:module';
      import imported from 'both';
      import theirs, { also } from 'theirs';
      const require = createRequire(import.meta.url);
      export const seen: readonly string[] = [imported, require('both'), imported, theirs, also];`,
    'packages/ours/part/second.ts': `
      import version from 'both/version.js';
      import again from 'both';
      export const two: string = version + again;`,
    'node_modules/both/package.json': JSON.stringify({
      exports: { '.': { import: './one.mjs', require: './one.cjs' }, './version.js': './version.js' },
    }),
    'node_modules/both/one.mjs': "export default 'imported';",
    'node_modules/both/one.cjs': "module.exports = 'required';",
    'node_modules/both/version.js': "module.exports = 'version 1 ';",
    'node_modules/theirs/package.json': '{"type":"module","exports":"./index.js"}',
    'node_modules/theirs/index.js': `
      import both from 'both';
      import old from './old/a.js';
      import older from './old/b.js';
      export { also } from './also.js';
      export default [both, old, older].join();`,
    'node_modules/theirs/also.js': "export const also = 'module';",
    'node_modules/theirs/old/package.json': '{"type":"commonjs"}',
    'node_modules/theirs/old/a.js': "module.exports = 'a' + require('./b.js');",
    'node_modules/theirs/old/b.js': "module.exports = typeof module + require('both');",
    'node_modules/theirs/node_modules/both/package.json': '{"exports":"./two.cjs"}',
    'node_modules/theirs/node_modules/both/two.cjs': "module.exports = 'version 2';",
  });
  expect(quick).toBe(plain);
  expect(quick).toBe(
    'imported required imported version 2,aobjectversion 2,objectversion 2 module version 1 imported\n',
  );
});

test('a module that is not there is an error', async () => {
  const { quick, plain } = await printed({
    'packages/ours/package.json': '{"type":"module"}',
    'packages/ours/main.ts': `
      import './there.ts';
      const failed = await import('./missing.ts').catch((error: Error) => error.name);
      const unknown = await import('missing').catch((error: Error & { code: string }) => error.code);
      console.log(failed, unknown);`,
    'packages/ours/there.ts': '',
  });
  expect(quick).toBe(plain);
  expect(quick).toBe('Error ERR_MODULE_NOT_FOUND\n');
});
