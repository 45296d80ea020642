import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createClient } from '@libsql/client/web';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type HranaServer, startHranaServer } from './hrana-server.ts';
import { temporaryFolder } from './process.ts';
import { compatibilityDate, compatibilityFlags, startWorkerd } from './workerd.ts';

const worker = `
import { createClient } from '@libsql/client/web';
import { Hono } from 'hono';

type Env = { DATABASE_URL: string; DATABASE_TOKEN: string };
const client = (env: Env) => createClient({ url: env.DATABASE_URL, authToken: env.DATABASE_TOKEN });
const app = new Hono<{ Bindings: Env }>();
app.get('/item/:id', async (c) => {
  const { rows } = await client(c.env).execute({ sql: 'SELECT name FROM item WHERE id = ?', args: [c.req.param('id')] });
  return rows[0] ? c.json({ name: rows[0].name }) : c.notFound();
});
export default {
  fetch: app.fetch,
  scheduled: async (_controller: unknown, env: Env) => {
    const transaction = await client(env).transaction('write');
    await transaction.execute("INSERT INTO item VALUES (2, 'scheduled')");
    await transaction.commit();
  },
};
`;

const authToken = 'made up for this test';
let database: HranaServer;

beforeAll(async () => {
  database = await startHranaServer({ file: join(temporaryFolder(), 'test.db'), authToken });
  const client = createClient({ url: database.url, authToken });
  await client.executeMultiple(
    `CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO item VALUES (1, 'one');`,
  );
  client.close();
});
afterAll(() => database.close());

test('a worker serves rows of the database, and its cron handler writes some', async () => {
  const entry = join(temporaryFolder(), 'worker.ts');
  writeFileSync(entry, worker);
  const workerd = await startWorkerd({
    entry,
    bindings: { DATABASE_URL: database.url, DATABASE_TOKEN: authToken },
  });
  try {
    expect(await (await fetch(`${workerd.url}/item/1`)).json()).toEqual({ name: 'one' });
    expect((await fetch(`${workerd.url}/item/2`)).status).toBe(404);
    await workerd.runScheduled();
    expect(await (await fetch(`${workerd.url}/item/2`)).json()).toEqual({ name: 'scheduled' });
  } finally {
    await workerd.dispose();
  }
  await expect(fetch(workerd.url)).rejects.toThrow();
});

test('a worker that cannot be bundled is an error that says why', async () => {
  const entry = join(temporaryFolder(), 'worker.ts');
  writeFileSync(entry, `import './missing.ts';`);
  await expect(startWorkerd({ entry })).rejects.toThrow('./missing.ts');
});

test('the tests run workers as they are deployed', () => {
  const deployed = readFileSync(resolve(import.meta.dirname, '../../wrangler.toml'), 'utf8');
  expect(deployed).toContain(`compatibility_date = "${compatibilityDate}"`);
  expect(deployed).toContain(`compatibility_flags = ${JSON.stringify(compatibilityFlags)}`);
});
