import { zone } from '@sallyport/model';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { expectProblem, type World } from '../world.ts';

const changedZone = zone.extend({ changeSequence: z.int() });

export function zoneCases(world: World): void {
  const { call, unique } = world;

  test('a zone: create, show, list, change', async () => {
    const name = unique('zone');
    const created = await call('POST /v1/zones', { body: { name, kind: 'edge' } });
    expect(created.status).toBe(201);
    expect(created.headers.get('etag')).toBe('"1"');
    const made = changedZone.parse(created.body);
    expect(made).toMatchObject({ name, kind: 'edge', enrolment: 'manual', version: 1 });

    const shown = await call(`GET /v1/zones/${made.id}`);
    expect(shown.headers.get('etag')).toBe('"1"');
    const { changeSequence, ...stored } = made;
    expect(zone.parse(shown.body)).toEqual(stored);

    const changed = await call(`PATCH /v1/zones/${made.id}`, {
      version: 1,
      body: { onInvalidCertificate: 'reject', enrolment: 'automatic' },
    });
    expect(changed.headers.get('etag')).toBe('"2"');
    expect(changedZone.parse(changed.body)).toEqual({
      ...stored,
      onInvalidCertificate: 'reject',
      enrolment: 'automatic',
      version: 2,
      changeSequence: changeSequence + 1,
    });
    expect(await world.admin().zones.list()).toContainEqual({
      ...stored,
      onInvalidCertificate: 'reject',
      enrolment: 'automatic',
      version: 2,
    });
  });

  test('to let every invited node in takes the right to approve nodes', async () => {
    const id = await world.zone({ kind: 'edge' });
    const body = { enrolment: 'automatic' };
    const change = (token: string) => call(`PATCH /v1/zones/${id}`, { version: 1, body, token });
    expectProblem(await change(await world.token(['*:*'], [id])), 403, 'forbidden');
    expect((await change(await world.token(['zones:write', 'nodes:approve'], [id]))).body).toMatchObject(
      body,
    );
  });

  test('If-Match: missing 428, stale or foreign 412, and nothing changed', async () => {
    const id = await world.zone();
    const body = { storage: 'shared' };
    const path = `PATCH /v1/zones/${id}`;
    expectProblem(await call(path, { body }), 428, 'precondition-required');
    expectProblem(await call(path, { body, version: 2 }), 412, 'precondition-failed');
    for (const tag of ['W/"1"', '*', '1', '"1", "2"', '"x"']) {
      expectProblem(await call(path, { body, headers: { 'if-match': tag } }), 412, 'precondition-failed');
    }
    expect((await call(`GET /v1/zones/${id}`)).body).toMatchObject({ storage: 'node-local', version: 1 });
    expect((await call(path, { body, version: 1 })).status).toBe(200);
    expectProblem(await call(path, { body, version: 1 }), 412, 'precondition-failed');
  });

  test('of two changes to one version one wins', async () => {
    const id = await world.zone();
    const change = (storage: string) => call(`PATCH /v1/zones/${id}`, { version: 1, body: { storage } });
    const statuses = (await Promise.all([change('shared'), change('shared')])).map(({ status }) => status);
    expect(statuses.sort()).toEqual([200, 412]);
  });

  test('a name in use, also when both ask at once', async () => {
    const body = { name: unique('zone'), kind: 'edge' };
    const both = await Promise.all([call('POST /v1/zones', { body }), call('POST /v1/zones', { body })]);
    const [won, lost] = both.sort((a, b) => a.status - b.status);
    expect(won?.status).toBe(201);
    if (lost) expectProblem(lost, 409, 'alias-in-use', '/name');
  });

  test('a zone that is not there', async () => {
    expectProblem(await call('GET /v1/zones/nowhere'), 404, 'not-found');
    expectProblem(await call('PATCH /v1/zones/nowhere', { body: {}, version: 1 }), 404, 'not-found');
    expectProblem(await call('GET /v1/zones/nowhere/effective'), 404, 'not-found');
  });

  test('effective policy says where each document comes from', async () => {
    const id = await world.zone();
    const sslEntries = [{ id: 'plain', userClass: '*', encryption: 'optional', enabled: true }];
    const global = (await call(`GET /v1/zones/${id}/effective`)).body;
    expect(global).toMatchObject({
      zone: id,
      loginSettings: { origin: 'global' },
      userClasses: { origin: 'global', value: [{ id: 'everyone' }] },
      sslEntries: { origin: 'global', value: [{ userClass: '*', encryption: 'required' }] },
    });
    await call(`PATCH /v1/zones/${id}`, { version: 1, body: { overrides: { sslEntries } } });
    expect((await call(`GET /v1/zones/${id}/effective`)).body).toEqual({
      ...global,
      sslEntries: { origin: 'zone', value: sslEntries },
    });
  });

  test('lists come in pages, each row once, and the last has no cursor', async () => {
    for (let made = 0; made < 5; made++) await world.zone();
    const all = (await call('GET /v1/zones?limit=500')).body.items.map(({ id }: { id: string }) => id);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const { body } = await call(`GET /v1/zones?limit=2${cursor ? `&cursor=${cursor}` : ''}`);
      expect(body.items.length).toBeLessThanOrEqual(2);
      seen.push(...body.items.map(({ id }: { id: string }) => id));
      cursor = body.nextCursor;
    } while (cursor !== undefined);
    expect(seen).toEqual(all);
    expect(new Set(seen).size).toBe(seen.length);
  });
}
