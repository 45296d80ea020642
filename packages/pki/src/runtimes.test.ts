import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { Miniflare } from 'miniflare';
import { beforeAll, expect, it } from 'vitest';
import { run, temporaryFolder } from '../../../test/support/process.ts';
import { probe, probedTypes } from '../fixture/runtime-probe.ts';

const expected = Object.fromEntries([
  ...['ed25519', 'ecdsa-p256'].flatMap((type) => [
    [`${type} ssh`, type],
    [`${type} matches`, 'true'],
    [`${type} private`, '-----BEGIN OPENSSH PRIVATE KEY-----'],
    [`${type} client`, 'accepted'],
    [`${type} wrapper`, 'wrapper'],
  ]),
  ...probedTypes.flatMap((type) => [
    ...['pkcs8', 'scrypt', 'pkcs12', 'openssh'].map((form) => [`${type} ${form}`, 'same']),
    [`${type} crl`, 'true'],
    [`${type} ssh certificate`, 'accepted'],
  ]),
]);

const deno = join(import.meta.dirname, '../../../node_modules/.bin/deno');

let bundle = '';
beforeAll(async () => {
  const built = await build({
    entryPoints: [join(import.meta.dirname, '../fixture/runtime-probe.ts')],
    bundle: true,
    format: 'esm',
    // As a worker is deployed: what a library keeps for Node alone is left out.
    platform: 'browser',
    conditions: ['workerd', 'worker', 'browser'],
    mainFields: ['browser', 'module', 'main'],
    write: false,
  });
  bundle = built.outputFiles[0]?.text ?? '';
});

it('works on Node', { timeout: 60_000 }, async () => {
  expect(await probe()).toEqual(expected);
});

it('works on workerd, without its Node compatibility', { timeout: 60_000 }, async () => {
  const worker = new Miniflare({
    compatibilityDate: '2026-01-01',
    modules: [
      {
        type: 'ESModule',
        path: 'worker.mjs',
        contents:
          "import { probe, probedTypes } from './probe.mjs'; export default { fetch: async () => Response.json(await probe()) };",
      },
      { type: 'ESModule', path: 'probe.mjs', contents: bundle },
    ],
  });
  try {
    const response = await worker.dispatchFetch('http://worker/');
    expect(await response.json()).toEqual(expected);
  } finally {
    await worker.dispose();
  }
});

it('works on Deno, without a permission', { timeout: 60_000 }, async () => {
  const file = join(temporaryFolder(), 'probe.mjs');
  writeFileSync(file, `${bundle}\nconsole.log(JSON.stringify(await probe()));`);
  const { stdout, stderr } = await run(deno, ['run', '--no-prompt', '--no-config', file]);
  expect(JSON.parse(stdout || JSON.stringify(stderr))).toEqual(expected);
});
