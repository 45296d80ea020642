import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningDeno, startDeno } from './deno.ts';
import { type HranaServer, startHranaServer } from './hrana-server.ts';
import { temporaryFolder } from './process.ts';

const entry = resolve(import.meta.dirname, 'fixture/deno-app.ts');
const authToken = 'made up for this test';
let database: HranaServer;
let deno: RunningDeno;

beforeAll(async () => {
  database = await startHranaServer({ file: join(temporaryFolder(), 'test.db'), authToken });
  deno = await startDeno({
    entry,
    env: { DATABASE_URL: database.url, DATABASE_TOKEN: authToken },
    allowNet: [new URL(database.url).host],
  });
});
afterAll(async () => {
  await deno?.stop();
  await database.close();
});

test('a module of this repository imports its packages and libraries and reaches the database', async () => {
  const digest = await (await fetch(`${deno.url}/digest/sallyport`)).text();
  expect(digest).toBe(createHash('sha256').update('sallyport').digest('hex'));
  expect(await (await fetch(`${deno.url}/one`)).json()).toBe(1);
});

test('it may read no other variable', async () => {
  expect((await fetch(`${deno.url}/other`)).status).toBe(500);
  expect(deno.stderr()).toContain('Requires env access to "OTHER"');
});

test('it may connect to no other address', async () => {
  const jailed = await startDeno({ entry, env: { DATABASE_URL: database.url, DATABASE_TOKEN: authToken } });
  expect((await fetch(`${jailed.url}/one`)).status).toBe(500);
  // What it prints comes by another way than its answer.
  await expect.poll(() => jailed.stderr(), { timeout: 10_000 }).toContain('Requires net access');
  await jailed.stop();
  await expect(fetch(jailed.url)).rejects.toThrow();
});

test('a module that does not load is an error that says why', async () => {
  const broken = join(temporaryFolder(), 'broken.ts');
  writeFileSync(broken, `import './missing.ts';`);
  await expect(startDeno({ entry: broken })).rejects.toThrow(/before it answered:\n[\s\S]*missing\.ts/);
});
