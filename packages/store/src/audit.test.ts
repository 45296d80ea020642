import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { emptyHash, firstBrokenRow, listAudit, readAuditHead } from './audit.ts';
import { initialisedStore, type OpenStore } from './fixture/open-store.ts';

let opened: OpenStore;
beforeEach(async () => {
  opened = await initialisedStore();
  for (const action of ['one', 'two', 'three', 'four']) {
    await opened.store.change('token:a', async (change) => {
      change.audit(action, 'zone:a', { ünï: ['\ud83d\ude00', 1.5, null, { b: 1, a: 2 }] });
    });
  }
});
afterEach(() => opened.client.close());

const start = { sequence: 0, hash: emptyHash };
const broken = async () => firstBrokenRow(await listAudit(opened.store.queries, 0, 100), start);

test('rows as they come from the database fit one another, from any row on', async () => {
  expect(await broken()).toBeUndefined();
  const [first, ...rest] = await listAudit(opened.store.queries, 0, 100);
  expect(firstBrokenRow(rest, { sequence: 1, hash: first?.hash ?? '' })).toBeUndefined();
  expect(await readAuditHead(opened.store.queries)).toEqual({ sequence: 4, hash: rest.at(-1)?.hash });
});

test.each([
  ['a column', sql`UPDATE audit SET actor = 'token:b' WHERE sequence = 3`, 3],
  ['the detail', sql`UPDATE audit SET detail = '{}' WHERE sequence = 2`, 2],
  ['the hash', sql`UPDATE audit SET hash = previous_hash WHERE sequence = 4`, 4],
  ['a row taken out', sql`DELETE FROM audit WHERE sequence = 2`, 3],
  ['the first row taken out', sql`DELETE FROM audit WHERE sequence = 1`, 2],
])('tampering is found: %s', async (_what, statement, found) => {
  await opened.database.writing.run(statement);
  expect(await broken()).toBe(found);
});

test('a row cut off the end no longer fits the head', async () => {
  await opened.database.writing.run(sql`DELETE FROM audit WHERE sequence = 4`);
  const last = (await listAudit(opened.store.queries, 0, 100)).at(-1);
  expect((await readAuditHead(opened.store.queries)).hash).not.toBe(last?.hash);
});
