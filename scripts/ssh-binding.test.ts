import { spawnSync } from 'node:child_process';
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

test('ciphers that the garbage collector finds do not end the process', () => {
  const binding = join(sshBindingFolder() ?? '', 'build', 'Release', 'sshcrypto.node');
  // Collections have to come while built-in functions run, outside of any context: with the hooks, within 0.2 s.
  const program = `const { ChaChaPolyDecipher } = require(${JSON.stringify(binding)});
    const key = Buffer.alloc(64);
    let kept = [];
    for (let round = 0; round < 400; round++) {
      for (let each = 0; each < 50; each++) new ChaChaPolyDecipher(key);
      const values = Array.from({ length: 200 }, (_, at) => ({ at, list: [at], map: new Map([[at, at]]) }));
      Promise.all(values.map(async (value) => ({ ...value })));
      JSON.parse(JSON.stringify(values));
      kept.push(values);
      if (kept.length > 100) kept = [];
    }`;
  const { status, signal, stderr } = spawnSync(sallyportRuntime().executable, ['-e', program]);
  expect({ status, signal, stderr: String(stderr) }).toEqual({ status: 0, signal: null, stderr: '' });
});
