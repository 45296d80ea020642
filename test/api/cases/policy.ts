import { loginSettings, sslEntry, userClass } from '@sallyport/model';
import { expect, test } from 'vitest';
import { expectProblem, type World } from '../world.ts';

export function policyCases(world: World): void {
  const { call } = world;
  const settings = async () => (await call('GET /v1/login-settings')).body;
  const change = async (body: object) =>
    call('PATCH /v1/login-settings', { body, version: (await settings()).version });

  test('what init made: passwords optional, everyone, TLS for all', async () => {
    const { version, ...body } = await settings();
    expect(loginSettings.parse(body)).toMatchObject({ password: 'optional' });
    expect(version).toBeGreaterThan(0);
    const classes = (await call('GET /v1/user-classes')).body;
    expect(classes.items.map((each: unknown) => userClass.parse(each).id)).toEqual(['everyone']);
    const entries = (await call('GET /v1/ssl-entries')).body;
    expect(entries.items.map((each: unknown) => sslEntry.parse(each).encryption)).toEqual(['required']);
  });

  test('login settings change under If-Match', async () => {
    const before = await call('GET /v1/login-settings');
    const { version } = before.body;
    expect(before.headers.get('etag')).toBe(`"${version}"`);
    const path = 'PATCH /v1/login-settings';
    expectProblem(await call(path, { body: { nameCase: 'exact' } }), 428, 'precondition-required');
    expectProblem(
      await call(path, { body: { nameCase: 'exact' }, version: version + 1 }),
      412,
      'precondition-failed',
    );
    expectProblem(
      await call(path, { body: { password: 'never' }, version }),
      422,
      'invalid-request',
      '/password',
    );
    expect(await settings()).toEqual(before.body);
    expect((await change({ nameCase: 'exact' })).body).toMatchObject({
      nameCase: 'exact',
      version: version + 1,
    });
    expect((await change({ nameCase: 'lower' })).status).toBe(200);
  });

  test('what would admit nobody is refused from both sides, and changes nothing', async () => {
    const zone = await world.zone();
    const strict = { clientCertificate: 'required', clientPassword: 'disabled' };
    const made = await world.server(zone, strict);
    const before = await settings();
    expectProblem(await change({ password: 'required' }), 422, 'policy-refused', '/password');
    expect(await settings()).toEqual(before);
    expectProblem(
      await change({ password: 'required-for-classes', passwordClasses: ['everyone'] }),
      422,
      'policy-refused',
      '/password',
    );
    const { version: _version, ...global } = before;
    const overrides = { loginSettings: { ...global, password: 'required' } };
    expectProblem(
      await call(`PATCH /v1/zones/${zone}`, { version: 1, body: { overrides } }),
      422,
      'policy-refused',
      '/overrides/loginSettings',
    );
    expect((await call(`GET /v1/zones/${zone}`)).body).toMatchObject({ version: 1, overrides: {} });

    const relaxed = await call(`PATCH /v1/servers/${made.id}`, {
      version: 1,
      body: { clientPassword: 'default' },
    });
    expect(relaxed.status).toBe(200);
    expect((await change({ password: 'required' })).status).toBe(200);
    const answer = await call(`PATCH /v1/servers/${made.id}`, { version: 2, body: strict });
    expectProblem(answer, 422, 'policy-refused', '/clientPassword');
    expect((await call(`GET /v1/servers/${made.id}`)).body).toMatchObject({
      version: 2,
      clientPassword: 'default',
    });
    expect((await change({ password: 'optional' })).status).toBe(200);
  });

  const classes = async () => (await call('GET /v1/user-classes')).body;
  const entries = async () => (await call('GET /v1/ssl-entries')).body;

  test('user classes and SSL entries are lists that change whole: items, order and all', async () => {
    const before = await classes();
    const made = await call('PUT /v1/user-classes', {
      version: before.version,
      body: {
        items: [{ name: 'internal-apps', namePattern: 'app-*', sources: ['10.0.0.0/8'] }, ...before.items],
      },
    });
    expect(made.status).toBe(200);
    const [apps, everyone] = made.body.items;
    expect(apps).toMatchObject({ name: 'internal-apps', enabled: true, group: '*' });
    expect(everyone).toEqual(before.items[0]);
    expect(made.body.version).toBe(before.version + 1);

    const listed = await entries();
    const put = await call('PUT /v1/ssl-entries', {
      version: listed.version,
      body: { items: [{ userClass: apps.id, encryption: 'optional' }, ...listed.items] },
    });
    expect(put.body.items).toMatchObject([
      { userClass: apps.id, encryption: 'optional', enabled: true },
      { userClass: '*', encryption: 'required' },
    ]);
    expectProblem(
      await call('PUT /v1/user-classes', { version: made.body.version, body: { items: before.items } }),
      409,
      'in-use',
      '/items',
    );
    const swapped = await call('PUT /v1/ssl-entries', {
      version: put.body.version,
      body: { items: [...put.body.items].reverse() },
    });
    expect(swapped.body.items.map(({ id }: { id: string }) => id)).toEqual(
      [...put.body.items].reverse().map(({ id }) => id),
    );
    const back = await call('PUT /v1/ssl-entries', {
      version: swapped.body.version,
      body: { items: listed.items },
    });
    expect(back.body.items).toEqual(listed.items);
    const removed = await call('PUT /v1/user-classes', {
      version: made.body.version,
      body: { items: before.items },
    });
    expect(removed.body.items).toEqual(before.items);
  });

  test('a list with a repeated or unknown id, a name twice, an unknown class or an old version changes nothing', async () => {
    const before = await classes();
    const [everyone] = before.items;
    const put = (items: object[], version = before.version) =>
      call('PUT /v1/user-classes', { version, body: { items } });
    expectProblem(await put([everyone, everyone]), 422, 'invalid-request', '/items/1/id');
    expectProblem(await put([everyone, { id: 'cls_x', name: 'x' }]), 422, 'invalid-request', '/items/1/id');
    expectProblem(await put([everyone, { name: 'everyone' }]), 422, 'invalid-request', '/items/1/name');
    expectProblem(await put([]), 422, 'invalid-request', '/items');
    expectProblem(await put([everyone], before.version + 1), 412, 'precondition-failed');
    expect(await classes()).toEqual(before);

    const { version, items } = await entries();
    const entry = (body: object[]) => call('PUT /v1/ssl-entries', { version, body: { items: body } });
    const unknown = { userClass: 'cls_x', encryption: 'optional' };
    expectProblem(await entry([...items, unknown]), 422, 'invalid-request', '/items/1/userClass');
    const twice = { userClass: '*', encryption: 'optional' };
    expectProblem(await entry([...items, twice]), 422, 'invalid-request', '/items/1/userClass');
    expect(await entries()).toEqual({ version, items });
  });
}
