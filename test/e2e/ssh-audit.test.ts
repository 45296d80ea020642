// What ssh-audit says of the server that a quickstart makes: no failure, and no warning that the docs do not explain.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { run } from '../support/process.ts';
import { type Quickstart, startQuickstart } from './support/quickstart.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 90_000 });

let quickstart: Quickstart;
beforeAll(async () => {
  quickstart = await startQuickstart();
});
afterAll(() => quickstart.stop());

test('the default server fails nothing, and each warning is explained', async () => {
  const { host, port } = quickstart.contract.servers.ssh;
  const { stdout } = await run('ssh-audit', ['--no-colors', '--port', String(port), host]);
  expect(stdout).toContain('# key exchange algorithms');
  expect(stdout).toMatch(/\(gen\) banner: SSH-2\.0-Sallyport/);
  expect(stdout).not.toContain('[fail]');

  const explained = readFileSync(resolve(import.meta.dirname, '../../docs/ssh.md'), 'utf8');
  const warned = new Set<string>();
  let algorithm = '';
  for (const line of stdout.split('\n')) {
    algorithm = /^\((?:kex|key|enc|mac)\) (\S+)/.exec(line)?.[1] ?? algorithm;
    if (line.includes('[warn]')) warned.add(algorithm);
  }
  expect(warned.size).toBeGreaterThan(0);
  expect([...warned].filter((name) => !explained.includes(`\`${name}\``))).toEqual([]);
});
