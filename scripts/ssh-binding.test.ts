import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { sallyportRuntime, sshBindingFolder, sshBindingLoads } from './ssh-binding.mjs';

const root = resolve(import.meta.dirname, '..');

test('the tests run on the pinned Node', () => {
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect(process.version).toBe(`v${optionalDependencies.node}`);
});

test('the native SSH binding loads and ssh2 uses it', () => {
  const folder = sshBindingFolder() ?? '';
  expect(sshBindingLoads(sallyportRuntime().executable, folder)).toBe(true);
  // ssh2 falls back to JavaScript without a word; this is where it keeps what it found.
  const { bindingAvailable } = createRequire(import.meta.url)(join(folder, '..', 'crypto.js'));
  expect(bindingAvailable).toBe(true);
});
