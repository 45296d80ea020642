import { unwrap } from '@sallyport/faults';
import { createStore, pendingPublications, readPolicyDocument, updatePolicyDocument } from '@sallyport/store';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type InProcess, inProcess, openFile } from '../fixture/in-process.ts';
import { joinedNode } from '../fixture/signed-node.ts';
import { publishPending, publishZone } from './publish.ts';

let plane: InProcess & { close(): void };
let zone: string;
beforeEach(async () => {
  plane = await inProcess();
  zone = (await plane.call('POST /v1/zones', { body: { name: 'inside', kind: 'internal' } })).body.id;
});
afterEach(() => plane.close());

const addAccount = async (name: string): Promise<number> =>
  (await plane.call('POST /v1/accounts', { body: { name, zones: [zone] } })).body.changeSequence;
const versions = async (): Promise<number[]> =>
  (await plane.call(`GET /v1/snapshots?zone=${zone}`)).body.items.map(
    ({ version }: { version: number }) => version,
  );
const propagation = async (sequence: number) =>
  (await plane.call(`GET /v1/zones/${zone}/propagation?sequence=${sequence}`)).body;
const waiting = async () => (await pendingPublications(plane.deps.store.queries)).map((row) => row.zone);

test('a crash between commit and publication delays the change: the timer publishes it', async () => {
  const sequence = await addAccount('partner');
  expect(plane.deferred).toHaveLength(2);
  expect(await versions()).toEqual([]);
  expect(await propagation(sequence)).toMatchObject({ state: 'publishing' });
  expect(await waiting()).toEqual([zone]);
  await publishPending(plane.deps);
  expect(await versions()).toEqual([1]);
  expect(await propagation(sequence)).toMatchObject({ state: 'live', version: 1 });
  expect(await waiting()).toEqual([]);
});

test('and so does the next poll of a node of the zone', async () => {
  const node = await joinedNode(plane, zone);
  expect(await node.send('GET', '/v1/node/poll')).toMatchObject({ status: 200 });
  expect(await versions()).toEqual([1]);
  await addAccount('partner');
  expect((await node.send('GET', '/v1/node/poll?after=1&epoch=1')).body).toHaveProperty('manifest');
  expect(await versions()).toEqual([2, 1]);
});

test('a publication that is cut anywhere is made whole by the next one', async () => {
  await addAccount('partner');
  for (const cut of ['read', 'record'] as const) {
    const store = { ...plane.deps.store, [cut]: () => Promise.reject(new Error('the process ends here')) };
    await expect(publishZone({ ...plane.deps, store }, zone)).rejects.toThrow('ends here');
    expect(await versions()).toEqual([]);
    expect(await waiting()).toEqual([zone]);
  }
  unwrap(await publishZone(plane.deps, zone));
  expect(await versions()).toEqual([1]);
});

test('a publication cut inside its own transaction leaves nothing of it', async () => {
  await addAccount('partner');
  const store: typeof plane.deps.store = {
    ...plane.deps.store,
    record: (work) =>
      plane.deps.store.record(async (queries) => {
        await work(queries);
        throw new Error('the process ends here');
      }),
  };
  await expect(publishZone({ ...plane.deps, store }, zone)).rejects.toThrow('ends here');
  expect([await versions(), await waiting()]).toEqual([[], [zone]]);
  await publishPending(plane.deps);
  expect([await versions(), await waiting()]).toEqual([[1], []]);
});

test('published twice, nothing new is made', async () => {
  const first = unwrap(await publishZone(plane.deps, zone));
  expect(unwrap(await publishZone(plane.deps, zone))).toEqual(first);
  expect(await versions()).toEqual([1]);
});

test('of publishers in several processes one makes the version, and no change is lost', async () => {
  const others = await Promise.all([openFile(plane.file), openFile(plane.file)]);
  const processes = [
    plane.deps,
    ...others.map(({ database }) => ({ ...plane.deps, store: createStore(database, plane.deps.now) })),
  ];
  const sequence = await addAccount('partner');
  const published = await Promise.all(processes.map((deps) => publishZone(deps, zone)));
  expect(published.map((result) => unwrap(result).version)).toEqual([1, 1, 1]);
  expect(await versions()).toEqual([1]);
  expect(await propagation(sequence)).toMatchObject({ state: 'live', version: 1 });
  for (const { close } of others) close();
});

test('what cannot be compiled leaves the last version in force and says why, until it is put right', async () => {
  const strict = { clientCertificate: 'required', clientPassword: 'disabled' };
  const body = { protocol: 'ssh', name: 'sftp', zone, port: 22, ...strict };
  await plane.call('POST /v1/servers', { body });
  await publishPending(plane.deps);
  const { store } = plane.deps;
  const settings = await readPolicyDocument(store.queries, 'login-settings');
  // As an older program might have written it: the API of today refuses it.
  await store.record((queries) =>
    updatePolicyDocument(
      queries,
      'login-settings',
      { ...settings.body, password: 'required' },
      settings.version,
    ),
  );
  const sequence = await addAccount('partner');
  await publishPending(plane.deps);
  expect(await versions()).toEqual([1]);
  expect(await propagation(sequence)).toMatchObject({
    state: 'refused',
    refusal: expect.stringContaining('sftp'),
  });
  expect(plane.logged).toEqual([{ message: expect.stringContaining('was not published'), error: undefined }]);

  const relaxed = { body: { password: 'optional' }, version: settings.version + 1 };
  expect((await plane.call('PATCH /v1/login-settings', relaxed)).status).toBe(200);
  await publishPending(plane.deps);
  expect(await propagation(sequence)).toMatchObject({ state: 'live', version: 2 });
});

test('one zone that fails keeps no other from being published', async () => {
  const other = (await plane.call('POST /v1/zones', { body: { name: 'outside', kind: 'edge' } })).body.id;
  const { keys } = plane.deps;
  const broken: typeof keys = {
    ...keys,
    unwrap: (purpose, wrapped) =>
      purpose.includes(zone) ? Promise.reject(new Error('another key')) : keys.unwrap(purpose, wrapped),
  };
  await publishPending({ ...plane.deps, keys: broken });
  expect(await waiting()).toEqual([zone]);
  expect((await plane.call(`GET /v1/snapshots?zone=${other}`)).body.items).toHaveLength(1);
});

test('a publisher that read before another one covered a later change does not put the older state in force', async () => {
  const account = await plane.call('POST /v1/accounts', { body: { name: 'partner', zones: [zone] } });
  await publishPending(plane.deps);
  const path = `PATCH /v1/accounts/${account.body.id}`;
  await plane.call(path, { body: { enabled: false }, version: 1 });

  // The first publisher has read the disabled account when a second one finds it enabled again, as it was published.
  let interrupt: (() => Promise<unknown>) | undefined = async () => {
    await plane.call(path, { body: { enabled: true }, version: 2 });
    unwrap(await publishZone(plane.deps, zone));
  };
  const { store } = plane.deps;
  const slow: typeof store = {
    ...store,
    async record(work) {
      const first = interrupt;
      interrupt = undefined;
      await first?.();
      return store.record(work);
    },
  };
  unwrap(await publishZone({ ...plane.deps, store: slow }, zone));
  expect(await versions()).toEqual([1]);
  expect(await waiting()).toEqual([]);
});

test('a crowd of publishers leaves nothing to publish and logs nothing', async () => {
  const made = await Promise.all(Array.from({ length: 12 }, (_, index) => addAccount(`partner-${index}`)));
  await Promise.all(plane.deferred.map((work) => work()));
  expect(plane.logged).toEqual([]);
  expect(await waiting()).toEqual([]);
  expect(await propagation(Math.max(...made))).toMatchObject({ state: 'live' });
});
