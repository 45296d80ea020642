import { account } from '@sallyport/model';
import { expect, test } from 'vitest';
import { expectProblem, type World } from '../world.ts';

export function accountCases(world: World): void {
  const { call, unique } = world;

  test('an account: create, show, list, change, delete', async () => {
    const zone = await world.sharedZone();
    const name = `Partner.${unique('x')}`;
    const created = await call('POST /v1/accounts', {
      body: { name, zones: [zone], password: 'correct horse' },
    });
    expect(created).toMatchObject({ status: 201, body: { home: `/${name}`, password: 'set', version: 1 } });
    expect(created.headers.get('etag')).toBe('"1"');
    const { changeSequence: _sequence, ...stored } = created.body;
    expect(account.parse(stored)).toEqual(stored);
    const path = `/v1/accounts/${stored.id}`;
    expect((await call(`GET ${path}`)).body).toEqual(stored);
    expect((await world.admin().accounts.list()).find(({ id }) => id === stored.id)).toEqual(stored);

    const patch = { enabled: false, groups: ['edi'], contact: 'desk@example.org', password: null };
    expect((await call(`PATCH ${path}`, { version: 1, body: patch })).body).toMatchObject({
      ...stored,
      ...patch,
      password: 'none',
      version: 2,
    });
    expect((await call(`PATCH ${path}`, { version: 2, body: { contact: null } })).body).not.toHaveProperty(
      'contact',
    );
    expectProblem(await call(`PATCH ${path}`, { body: patch }), 428, 'precondition-required');
    expectProblem(await call(`PATCH ${path}`, { version: 2, body: patch }), 412, 'precondition-failed');
    expectProblem(await call(`DELETE ${path}`, { version: 1 }), 412, 'precondition-failed');
    expect((await call(`DELETE ${path}`, { version: 3 })).status).toBe(200);
    expectProblem(await call(`GET ${path}`), 404, 'not-found');
  });

  test('names that differ in case alone are one name, also when both ask at once', async () => {
    const zone = await world.sharedZone();
    const name = unique('Case');
    const create = (given: string) => call('POST /v1/accounts', { body: { name: given, zones: [zone] } });
    const both = await Promise.all([create(name), create(name.toUpperCase())]);
    const [won, lost] = both.sort((a, b) => a.status - b.status);
    expect(won?.status).toBe(201);
    if (lost) expectProblem(lost, 409, 'alias-in-use', '/name');
    expectProblem(await create(name.toLowerCase()), 409, 'alias-in-use', '/name');
  });

  test.each([
    ['a name that is none', { name: 'a/b' }, '/name'],
    ['a name that starts with *', { name: '*' }, '/name'],
    ['no zone', { zones: [] }, '/zones'],
    ['a zone that is not there', { zones: ['nowhere'] }, '/zones/0'],
    ['a home with ..', { home: '/a/../b' }, '/home'],
    ['a home that is no absolute path', { home: 'a' }, '/home'],
    ['a short password', { password: 'short' }, '/password'],
    [
      'a path permission that is none',
      { permissions: [{ path: '/', allow: ['fly'] }] },
      '/permissions/0/allow/0',
    ],
    ['a hash in place of a password', { passwordHash: '$argon2id$' }, '/passwordHash'],
  ])('%s is refused', async (_what, body, pointer) => {
    const zones = [await world.sharedZone()];
    const answer = await call('POST /v1/accounts', { body: { name: unique('account'), zones, ...body } });
    expectProblem(answer, 422, 'invalid-request', pointer);
  });

  test('a name that makes no folder needs a home', async () => {
    const zones = [await world.sharedZone()];
    expectProblem(
      await call('POST /v1/accounts', { body: { name: '..', zones } }),
      422,
      'invalid-request',
      '/home',
    );
  });

  test('deleting it deletes its login certificates, and its key may be registered anew', async () => {
    const zone = await world.sharedZone();
    const made = await world.account(zone);
    const other = await world.account(zone);
    const issued = await call('POST /v1/certificates', {
      body: {
        source: 'generate',
        kind: 'login',
        alias: unique('login'),
        account: made.id,
        handOut: { format: 'pem' },
      },
    });
    expect((await call(`GET /v1/accounts/${made.id}`)).body.loginCertificates).toEqual([issued.body.id]);
    expect((await call(`DELETE /v1/accounts/${made.id}`, { version: 1 })).status).toBe(200);
    expectProblem(await call(`GET /v1/certificates/${issued.body.id}`), 404, 'not-found');
    const again = await call('POST /v1/certificates', {
      body: {
        source: 'import',
        kind: 'login',
        alias: issued.body.alias,
        account: other.id,
        text: issued.body.pem,
      },
    });
    expect(again).toMatchObject({ status: 201, body: { account: other.id, status: 'valid' } });
  });
}
