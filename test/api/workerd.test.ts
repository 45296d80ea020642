import { resolve } from 'node:path';
import { createClient } from '@libsql/client';
import { expect, test } from 'vitest';
import { startWorkerd } from '../support/workerd.ts';
import { networkedInstallation } from './installation.ts';
import { apiSuite } from './suite.ts';
import { createWorld } from './world.ts';

const entry = resolve(import.meta.dirname, '../../apps/control-plane/src/worker.ts');

async function start() {
  const installation = await networkedInstallation();
  const workerd = await startWorkerd({ entry, bindings: installation.environment });
  return {
    ...installation,
    url: workerd.url,
    runScheduled: workerd.runScheduled,
    stop: async () => {
      await workerd.dispose();
      await installation.close();
    },
  };
}

apiSuite('workerd', start);

test('a fresh isolate answers all who come at once, and its timer publishes what was left', async () => {
  const running = await start();
  const world = createWorld(() => running);
  const answers = await Promise.all([
    ...Array.from({ length: 30 }, () => world.call('GET /v1/zones')),
    ...Array.from({ length: 5 }, () => world.zone().then(() => ({ status: 200 }))),
  ]);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));

  const [zone] = await world.admin().zones.list();
  const client = createClient({ url: `file:${running.databaseFile}`, timeout: 5_000 });
  const waiting = async () => (await client.execute('SELECT zone FROM outbox')).rows.map((row) => row.zone);
  await expect.poll(waiting, { timeout: 10_000 }).toEqual([]);
  await client.execute({ sql: 'INSERT INTO outbox (zone, sequence) VALUES (?, 0)', args: [zone?.id ?? ''] });
  await running.runScheduled();
  expect(await waiting()).toEqual([]);
  client.close();
  await running.stop();
});
