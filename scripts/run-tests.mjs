// `npm run test:e2e -- NAME…` and `test:conformance -- NAME…`: the tests of one folder whose file name starts with a NAME.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { requireNode } from './node-version.mjs';
import { selectTests } from './select-tests.mjs';

requireNode();

const root = resolve(import.meta.dirname, '..');
const [kind = '', ...args] = process.argv.slice(2);
const folder = join(root, 'test', kind);
if (!existsSync(folder)) fail(`there is no test/${kind}`);
const names = args.filter((arg) => !arg.startsWith('-'));
const selected = selectTests(folder, names);
if (selected.unknown.length > 0) {
  fail(
    `no test of test/${kind} starts with ${selected.unknown.join(', ')}; there are: ${selected.all.join(', ')}`,
  );
}
const options = args.filter((arg) => arg.startsWith('-'));
const { status } = spawnSync(
  join(root, 'node_modules', '.bin', 'vitest'),
  ['run', ...selected.files, ...options],
  {
    cwd: root,
    stdio: 'inherit',
  },
);
process.exitCode = status ?? 1;

/** @param {string} message */
function fail(message) {
  console.error(`sallyport: ${message}`);
  process.exit(1);
}
