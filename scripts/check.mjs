// `npm run check`: types, lint, directions between the layers, and the rules of the house.
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { requireNode } from './node-version.mjs';

requireNode();

const root = resolve(import.meta.dirname, '..');

/** Runs a tool of node_modules/.bin; answers whether it was content, showing what it said if not. */
function tool(title, name, args, advice) {
  const { status, stdout, stderr, error } = spawnSync(join(root, 'node_modules', '.bin', name), args, {
    cwd: root,
    encoding: 'utf8',
  });
  if (status === 0) {
    console.log(`ok      ${title}`);
    return true;
  }
  console.log(`FAILED  ${title}`);
  console.log(`${stdout ?? ''}${stderr ?? ''}${error ? error.message : ''}`.trimEnd());
  console.log(`        ${advice}\n`);
  return false;
}

/** Prints findings of one check; answers whether there were none. */
function report(title, findings) {
  console.log(`${findings.length === 0 ? 'ok    ' : 'FAILED'}  ${title}`);
  for (const finding of findings) console.log(`        ${finding}`);
  return findings.length === 0;
}

const { readSourceTree } = await import('./source-tree.ts');
const { checkImports } = await import('./check-imports.ts');
const { checkHouse } = await import('./check-house.ts');
const { describeFinding } = await import('./finding.ts');

const tree = readSourceTree(root);
const passed = [
  tool(
    'types of apps, tests and scripts',
    'tsc',
    ['-p', 'tsconfig.json', '--pretty', 'false'],
    'Each line above is file(line,column); see tsconfig.json.',
  ),
  tool(
    'types of the runtime-neutral packages (no Node, no Buffer, no process)',
    'tsc',
    ['-p', 'tsconfig.neutral.json', '--pretty', 'false'],
    'Packages run on workerd, Deno and Node: take what is missing as an argument, or move the file to an app.',
  ),
  tool(
    'format and lint',
    'biome',
    ['check', '--colors=off'],
    'Run `npm run format`, then put right what is left.',
  ),
  report('directions between the layers', checkImports(tree).map(describeFinding)),
  report('rules of the house', checkHouse(tree).map(describeFinding)),
];
if (passed.includes(false)) process.exitCode = 1;
