import { join } from 'node:path';
import { type Client, createClient } from '@libsql/client/web';
import { eq } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/libsql/web';
import { blob, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type HranaServer, startHranaServer } from './hrana-server.ts';
import { temporaryFolder } from './process.ts';

const authToken = 'made up for this test';
let server: HranaServer;
let client: Client;

beforeAll(async () => {
  server = await startHranaServer({ file: join(temporaryFolder(), 'test.db'), authToken, streamIdleMs: 300 });
  client = createClient({ url: server.url, authToken });
});
afterAll(async () => {
  client.close();
  await server.close();
});
beforeEach(async () => {
  await client.executeMultiple(
    'DROP TABLE IF EXISTS item; CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT UNIQUE, bytes BLOB);',
  );
});

const names = async () =>
  (await client.execute('SELECT name FROM item ORDER BY name')).rows.map(({ name }) => name);

test('execute answers rows, columns, affected rows and the last row id', async () => {
  const inserted = await client.execute({ sql: 'INSERT INTO item (name) VALUES (?), (?)', args: ['a', 'b'] });
  expect([inserted.rowsAffected, inserted.lastInsertRowid]).toEqual([2, 2n]);
  const selected = await client.execute({
    sql: 'SELECT id, name FROM item WHERE name = :name',
    args: { name: 'b' },
  });
  expect([selected.columns, selected.columnTypes]).toEqual([
    ['id', 'name'],
    ['INTEGER', 'TEXT'],
  ]);
  expect(selected.rows.map((row) => [row.id, row.name])).toEqual([[2, 'b']]);
  expect(selected.rowsAffected).toBe(0);
  const returned = await client.execute(`UPDATE item SET name = name || '!' RETURNING name`);
  expect([returned.rowsAffected, returned.rows.map((row) => row[0])]).toEqual([2, ['a!', 'b!']]);
});

test('values of each type come back as they went', async () => {
  const big = createClient({ url: server.url, authToken, intMode: 'bigint' });
  const values = [
    null,
    2n ** 63n - 1n,
    -(2n ** 63n),
    1.5,
    'Grüße "\n',
    new Uint8Array([0, 1, 255]),
    new Uint8Array(),
  ];
  const { rows } = await big.execute({ sql: 'SELECT ?, ?, ?, ?, ?, ?, ?', args: values });
  const answered = values.map((_, at) => rows[0]?.[at]);
  expect(answered.map((value) => (value instanceof ArrayBuffer ? new Uint8Array(value) : value))).toEqual(
    values,
  );
  big.close();
});

test('a batch is all or nothing', async () => {
  await client.batch(
    [`INSERT INTO item (name) VALUES ('a')`, `INSERT INTO item (name) VALUES ('b')`],
    'write',
  );
  await expect(
    client.batch([`INSERT INTO item (name) VALUES ('c')`, `INSERT INTO item (name) VALUES ('a')`], 'write'),
  ).rejects.toMatchObject({
    code: 'SQLITE_CONSTRAINT',
    message: expect.stringContaining('UNIQUE constraint failed'),
  });
  expect(await names()).toEqual(['a', 'b']);
});

test('an interactive transaction is seen by others when it is committed, and never when it is rolled back', async () => {
  const kept = await client.transaction('write');
  await kept.execute(`INSERT INTO item (name) VALUES ('kept')`);
  expect((await kept.execute('SELECT name FROM item')).rows).toHaveLength(1);
  expect(await names()).toEqual([]);
  await kept.commit();
  const dropped = await client.transaction('write');
  await dropped.execute(`INSERT INTO item (name) VALUES ('dropped')`);
  await dropped.rollback();
  expect(await names()).toEqual(['kept']);
});

test('a transaction goes on after a statement that failed', async () => {
  const transaction = await client.transaction('write');
  await transaction.execute(`INSERT INTO item (name) VALUES ('a')`);
  await expect(transaction.execute(`INSERT INTO item (name) VALUES ('a')`)).rejects.toThrow('UNIQUE');
  await transaction.execute(`INSERT INTO item (name) VALUES ('b')`);
  await transaction.commit();
  expect(await names()).toEqual(['a', 'b']);
});

test('concurrent writers wait for one another', async () => {
  await client.execute(`INSERT INTO item (id, name) VALUES (1, '0')`);
  const increment = async () => {
    const transaction = await client.transaction('write');
    const { rows } = await transaction.execute('SELECT name FROM item WHERE id = 1');
    await transaction.execute({
      sql: 'UPDATE item SET name = ? WHERE id = 1',
      args: [String(Number(rows[0]?.name) + 1)],
    });
    await transaction.commit();
  };
  const insert = (name: string) =>
    client.execute({ sql: 'INSERT INTO item (name) VALUES (?)', args: [name] });
  const deferred = async () => {
    const transaction = await client.transaction('deferred');
    await transaction.execute('SELECT 1');
    await transaction.execute(`INSERT INTO item (name) VALUES ('deferred')`);
    await transaction.commit();
  };
  await Promise.all([
    increment(),
    increment(),
    insert('x'),
    deferred(),
    increment(),
    insert('y'),
    increment(),
  ]);
  expect(await names()).toEqual(['4', 'deferred', 'x', 'y']);
});

test('readers do not wait for a writer', async () => {
  const writer = await client.transaction('write');
  await writer.execute(`INSERT INTO item (name) VALUES ('a')`);
  const reader = await client.transaction('read');
  expect((await reader.execute('SELECT count(*) FROM item')).rows[0]?.[0]).toBe(0);
  await reader.commit();
  expect(await names()).toEqual([]);
  await writer.commit();
});

test('a transaction that its client has left is rolled back and lets the next writer in', async () => {
  const left = await client.transaction('write');
  await left.execute(`INSERT INTO item (name) VALUES ('left')`);
  await client.execute(`INSERT INTO item (name) VALUES ('next')`);
  expect(await names()).toEqual(['next']);
  await expect(left.commit()).rejects.toMatchObject({ code: 'STREAM_EXPIRED' });
});

test('a writer that waits too long is told that the database is busy', async () => {
  const impatient = await startHranaServer({
    file: join(temporaryFolder(), 'test.db'),
    authToken,
    writerWaitMs: 50,
  });
  const other = createClient({ url: impatient.url, authToken });
  await other.execute('CREATE TABLE t (a)');
  const writer = await other.transaction('write');
  await writer.execute('INSERT INTO t VALUES (1)');
  await expect(other.execute('INSERT INTO t VALUES (2)')).rejects.toMatchObject({ code: 'SQLITE_BUSY' });
  await writer.commit();
  await other.execute('INSERT INTO t VALUES (3)');
  other.close();
  await impatient.close();
});

test('closing rolls back what is open', async () => {
  const file = join(temporaryFolder(), 'test.db');
  const before = await startHranaServer({ file, authToken });
  const one = createClient({ url: before.url, authToken });
  await one.execute('CREATE TABLE t (a)');
  await (await one.transaction('write')).execute('INSERT INTO t VALUES (1)');
  await before.close();
  const after = await startHranaServer({ file, authToken });
  const two = createClient({ url: after.url, authToken });
  expect((await two.execute('SELECT * FROM t')).rows).toEqual([]);
  two.close();
  await after.close();
});

test('another token is refused', async () => {
  const stranger = createClient({ url: server.url, authToken: 'another' });
  await expect(stranger.execute('SELECT 1')).rejects.toMatchObject({ code: 'AUTH_REJECTED' });
  stranger.close();
  expect((await fetch(`${server.url}/v2/pipeline`, { method: 'POST' })).status).toBe(401);
});

test.each([
  '',
  '{',
  '[]',
  '{"requests":7}',
  '{"requests":[null]}',
  '{"requests":[{"type":"execute"}]}',
  '{"baton":"x","requests":[]}',
])('garbage is answered and harms nobody: %j', async (body) => {
  const response = await fetch(`${server.url}/v2/pipeline`, {
    method: 'POST',
    headers: { authorization: `Bearer ${authToken}` },
    body,
  });
  await response.text();
  expect(response.status).toBeLessThan(500);
  expect((await client.execute('SELECT 1 AS one')).rows[0]?.one).toBe(1);
});

test('drizzle selects, inserts, batches and runs transactions', async () => {
  const item = sqliteTable('item', {
    id: integer('id').primaryKey(),
    name: text('name'),
    bytes: blob('bytes', { mode: 'buffer' }),
  });
  const db = drizzle(client, { schema: { item } });
  await db.insert(item).values({ id: 7, name: 'seven', bytes: Buffer.from([7]) });
  await db.batch([
    db.insert(item).values({ name: 'b' }),
    db.update(item).set({ name: 'c' }).where(eq(item.name, 'b')),
  ]);
  await expect(
    db.transaction(async (transaction) => {
      await transaction.insert(item).values({ name: 'never' });
      throw new Error('changed my mind');
    }),
  ).rejects.toThrow('changed my mind');
  await db.transaction((transaction) => transaction.insert(item).values({ name: 'd' }));
  expect((await db.select().from(item)).map(({ name }) => name)).toEqual(['seven', 'c', 'd']);
  expect(await db.query.item.findFirst({ where: eq(item.id, 7) })).toEqual({
    id: 7,
    name: 'seven',
    bytes: Buffer.from([7]),
  });
});
