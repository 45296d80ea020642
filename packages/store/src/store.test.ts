import { FaultError } from '@sallyport/faults';
import type { Zone } from '@sallyport/model';
import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { emptyHash, firstBrokenRow, listAudit, readAuditHead } from './audit.ts';
import { initialisedStore, newFile, now, type OpenStore, openStore } from './fixture/open-store.ts';
import { clearOutbox, pendingPublications, pendingSequence, readChangeSequence } from './snapshots.ts';
import { type Change, createStore, schemaNumber } from './store.ts';
import { allZones, findZoneNamed, insertZone, updateZone } from './zones.ts';

let opened: OpenStore & { readonly file: string };
beforeEach(async () => {
  opened = await initialisedStore();
});
afterEach(() => opened.client.close());

const zone = (name: string): Zone => ({
  id: `zon_${name}`,
  name,
  kind: 'internal',
  storage: 'node-local',
  enrolment: 'automatic',
  onInvalidCertificate: 'allow-password',
  importRsaBits: 2_048,
  overrides: {},
  snapshot: { timestampSeconds: 3, graceSeconds: 0 },
  version: 1,
  createdAt: new Date(now).toISOString(),
});

const addZone = (name: string) => async (change: Change) => {
  await insertZone(change.queries, zone(name));
  change.audit('zone.create', `zone:${name}`);
  change.touch([`zon_${name}`]);
  return change.sequence;
};

test('a change commits its rows, its audit row and its outbox row under one number', async () => {
  const { store } = opened;
  const committed = await store.change('token:a', addZone('a'));
  expect(committed).toEqual({ ok: true, value: { value: 1, changeSequence: 1, touched: ['zon_a'] } });
  expect(await readChangeSequence(store.queries)).toBe(1);
  expect(await pendingPublications(store.queries)).toEqual([{ zone: 'zon_a', sequence: 1 }]);
  expect(await listAudit(store.queries, 0, 10)).toMatchObject([
    {
      sequence: 1,
      actor: 'token:a',
      action: 'zone.create',
      target: 'zone:a',
      at: '2026-06-01T12:00:00.000Z',
    },
  ]);
});

test('a refusal inside a change takes everything back and comes out as it was', async () => {
  const { store } = opened;
  const refused = await store.change('token:a', async (change) => {
    await addZone('a')(change);
    throw new FaultError({ code: 'policy-refused', detail: 'no' });
  });
  expect(refused).toEqual({ ok: false, fault: { code: 'policy-refused', detail: 'no' } });
  const broken = store.change('token:a', async (change) => {
    await addZone('a')(change);
    throw new TypeError('a bug');
  });
  await expect(broken).rejects.toThrow('a bug');
  expect(await allZones(store.queries)).toEqual([]);
  expect(await readChangeSequence(store.queries)).toBe(0);
  expect(await pendingPublications(store.queries)).toEqual([]);
  expect(await readAuditHead(store.queries)).toEqual({ sequence: 0, hash: emptyHash });
});

test('touching all reaches every zone there is', async () => {
  const { store } = opened;
  await store.change('token:a', addZone('a'));
  await store.change('token:a', addZone('b'));
  const committed = await store.change('token:a', async (change) => change.touch('all'));
  expect(committed).toMatchObject({ ok: true, value: { touched: ['zon_a', 'zon_b'] } });
  expect(await pendingSequence(store.queries, 'zon_a')).toBe(3);
});

test('the outbox forgets a zone only when its newest change is covered', async () => {
  const { store } = opened;
  await store.change('token:a', addZone('a'));
  await store.change('token:a', async (change) => change.touch(['zon_a']));
  await store.record((queries) => clearOutbox(queries, 'zon_a', 1));
  expect(await pendingSequence(store.queries, 'zon_a')).toBe(2);
  await store.record((queries) => clearOutbox(queries, 'zon_a', 2));
  expect(await pendingSequence(store.queries, 'zon_a')).toBeUndefined();
});

test('a name that another writer took in between is a refusal, not an error', async () => {
  await opened.store.change('token:a', addZone('a'));
  const second = await opened.store.change('token:a', (change) =>
    insertZone(change.queries, { ...zone('a'), id: 'zon_other' }),
  );
  expect(second).toEqual({ ok: false, fault: { code: 'alias-in-use' } });
});

test('a versioned update of a row that has moved on writes nothing', async () => {
  const { store } = opened;
  await store.change('token:a', addZone('a'));
  const next: Zone = { ...zone('a'), storage: 'shared', version: 2 };
  expect(await store.record((queries) => updateZone(queries, next, 1))).toBe(true);
  expect(await store.record((queries) => updateZone(queries, { ...next, storage: 'node-local' }, 1))).toBe(
    false,
  );
  expect(await findZoneNamed(store.queries, 'a')).toEqual(next);
});

test('parallel changes of two processes all succeed, in one order and one audit chain', async () => {
  const other = await openStore(opened.file);
  const stores = [opened.store, other.store];
  const changes = Array.from({ length: 20 }, (_, index) =>
    stores[index % 2]?.change(`token:${index}`, addZone(`z${index}`)),
  );
  const numbers = (await Promise.all(changes)).map((result) =>
    result?.ok ? result.value.changeSequence : 0,
  );
  expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  const rows = await listAudit(opened.store.queries, 0, 100);
  expect(rows).toHaveLength(20);
  expect(firstBrokenRow(rows, { sequence: 0, hash: emptyHash })).toBeUndefined();
  other.client.close();
});

test('a read sees one moment, whatever is committed meanwhile', async () => {
  const other = await openStore(opened.file);
  const seen = await opened.store.read(async (queries) => {
    const before = await readChangeSequence(queries);
    await other.store.change('token:b', addZone('b'));
    return [before, await readChangeSequence(queries), (await allZones(queries)).length];
  });
  expect(seen).toEqual([0, 0, 0]);
  expect(await readChangeSequence(opened.store.queries)).toBe(1);
  other.client.close();
});

test('a database that stays busy is said to be, and serves again when it is free', async () => {
  const impatient = await openStore(opened.file, 1);
  const pauses: number[] = [];
  const store = createStore(impatient.database, () => now, {
    pause: async (ms) => void pauses.push(ms),
  });
  const held = await opened.client.transaction('write');
  const refused = await store.change('token:a', addZone('a'));
  expect(refused).toMatchObject({ ok: false, fault: { code: 'database-busy' } });
  expect(pauses).toHaveLength(7);
  await held.rollback();
  expect((await store.change('token:a', addZone('a'))).ok).toBe(true);
  impatient.client.close();
});

test('writers that queue at the database do not reopen a connection that others use', async () => {
  let reopened = 0;
  const database = { ...opened.database, reconnect: () => void reopened++ };
  const busy = Object.assign(new Error('SQLITE_BUSY: database is locked'), { code: 'SQLITE_BUSY' });
  const tries = (writers: 'database' | 'in-process') => {
    let left = 2;
    const store = createStore(database, () => now, { writers, pause: async () => {} });
    return store.record(async () => {
      if (left-- > 0) throw busy;
      return 'done';
    });
  };
  expect(await tries('database')).toBe('done');
  expect(reopened).toBe(0);
  expect(await tries('in-process')).toBe('done');
  expect(reopened).toBe(2);
});

test('a database without our tables, without init or of another schema is told apart', async () => {
  const empty = await openStore(newFile());
  expect(await empty.store.checkSchema()).toMatchObject({
    code: 'schema-mismatch',
    detail: expect.stringContaining('none'),
  });
  empty.client.close();
  await opened.database.writing.run(sql`UPDATE installation SET "schema" = ${schemaNumber + 1}`);
  expect(await opened.store.checkSchema()).toMatchObject({ code: 'schema-mismatch' });
  await opened.database.writing.run(sql`UPDATE installation SET "schema" = ${schemaNumber}`);
  expect(await opened.store.checkSchema()).toBeUndefined();
  await opened.database.writing.run(sql`DELETE FROM installation`);
  const uninitialised = createStore(opened.database, () => now);
  expect(await uninitialised.checkSchema()).toMatchObject({ code: 'schema-mismatch' });
  expect(await uninitialised.change('token:a', addZone('a'))).toMatchObject({
    fault: { code: 'schema-mismatch' },
  });
});
