import { server } from '@sallyport/model';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { expectProblem, type World } from '../world.ts';

const { changeSequence } = z.object({ changeSequence: z.int() }).shape;

export function serverCases(world: World): void {
  const { call, unique } = world;

  test.each([
    ['ssh', { clientCertificate: 'optional', clientPassword: 'default', ssh: { sftp: true, scp: false } }],
    ['ftp', { clientCertificate: 'disabled', ftp: { explicitTls: true, tlsSessionReuse: 'preferred' } }],
    ['http', { clientCertificate: 'disabled', http: { plain: false, hsts: true } }],
  ])('an %s server: create, show, list, change, delete', async (protocol, defaults) => {
    const zone = await world.sharedZone();
    const body = { protocol, name: unique('server'), zone, port: 2022 };
    const created = await call('POST /v1/servers', { body });
    expect(created).toMatchObject({
      status: 201,
      body: { ...body, ...defaults, state: 'running', version: 1 },
    });
    expect(created.headers.get('etag')).toBe('"1"');
    const { changeSequence: sequence, ...stored } = created.body;
    changeSequence.parse(sequence);
    expect(server.parse(stored)).toEqual(stored);

    const path = `/v1/servers/${stored.id}`;
    expect((await call(`GET ${path}`)).body).toEqual(stored);
    const patch = { state: 'draining', banner: 'Welcome.\r\nBehave.' };
    const changed = (await call(`PATCH ${path}`, { version: 1, body: patch })).body;
    expect(changed).toMatchObject({ ...stored, ...patch, version: 2 });
    const cleared = (await call(`PATCH ${path}`, { version: 2, body: { banner: null, port: 2023 } })).body;
    expect(cleared).not.toHaveProperty('banner');
    expect((await world.admin().servers.list()).find(({ id }) => id === stored.id)).toMatchObject({
      port: 2023,
      state: 'draining',
      version: 3,
    });

    expectProblem(await call(`DELETE ${path}`), 428, 'precondition-required');
    expectProblem(await call(`DELETE ${path}`, { version: 2 }), 412, 'precondition-failed');
    expect((await call(`DELETE ${path}`, { version: 3 })).body).toEqual({
      changeSequence: expect.any(Number),
    });
    expectProblem(await call(`GET ${path}`), 404, 'not-found');
  });

  test('what fits no server is refused by field, and nothing changes', async () => {
    const zone = await world.sharedZone();
    const made = await world.server(zone);
    const other = await world.server(zone);
    const change = (body: object) => call(`PATCH /v1/servers/${made.id}`, { version: 1, body });
    expectProblem(await change({ name: other.name }), 409, 'alias-in-use', '/name');
    expectProblem(await change({ protocol: 'ftp' }), 422, 'invalid-request', '/protocol');
    expectProblem(await change({ zone: 'another' }), 422, 'invalid-request', '/zone');
    expectProblem(await change({ http: { plain: true } }), 422, 'invalid-request', '/http');
    expectProblem(await change({ ssh: { scp: 'yes' } }), 422, 'invalid-request', '/ssh/scp');
    expectProblem(await change({ port: 65_536 }), 422, 'invalid-request', '/port');
    expectProblem(await change({ certificates: ['nowhere'] }), 422, 'invalid-request', '/certificates/0');
    expect((await call(`GET /v1/servers/${made.id}`)).body.version).toBe(1);

    const create = (body: object) =>
      call('POST /v1/servers', {
        body: { protocol: 'ftp', name: unique('server'), zone, port: 21, ...body },
      });
    expectProblem(await create({ name: made.name }), 409, 'alias-in-use', '/name');
    expectProblem(await create({ zone: 'nowhere' }), 422, 'invalid-request', '/zone');
    expectProblem(await create({ clientPassword: 'disabled' }), 422, 'invalid-request', '/clientPassword');
    expectProblem(
      await create({ ftp: { passive: { from: 60_000, to: 50_000 } } }),
      422,
      'invalid-request',
      '/ftp/passive',
    );
  });

  test('it presents local certificates of its own zone, each once', async () => {
    const zone = await world.sharedZone();
    const mine = await world.localCertificate(zone);
    const twin = await world.localCertificate(zone);
    const foreign = await world.localCertificate(await world.zone());
    const made = await world.server(zone);
    const assign = (...certificates: string[]) =>
      call(`PATCH /v1/servers/${made.id}`, { version: 1, body: { certificates } });
    expectProblem(await assign(foreign.id), 422, 'certificate-purpose', '/certificates/0');
    expectProblem(await assign(mine.id, mine.id), 422, 'invalid-request', '/certificates/1');
    const revoked = await call(`POST /v1/certificates/${twin.id}/revoke`, { version: 1 });
    expect(revoked.body).toMatchObject({ status: 'revoked', version: 2 });
    expectProblem(await assign(twin.id), 422, 'certificate-purpose', '/certificates/0');
    expect((await assign(mine.id)).status).toBe(200);
    expect((await call(`GET /v1/certificates/${mine.id}`)).body.usedBy).toEqual([`server:${made.name}`]);
  });

  test('known-hosts gives the keys of now, under the name that clients use', async () => {
    const zone = await world.sharedZone();
    const first = await world.localCertificate(zone, 'ed25519');
    const second = await world.localCertificate(zone, 'ecdsa-p256');
    const made = await world.server(zone, { certificates: [first.id, second.id], port: 2022 });
    const read = async (query: string) => await call(`GET /v1/servers/${made.id}/known-hosts${query}`);
    expectProblem(await read(''), 422, 'invalid-request', 'query/host');
    const lines = (await read('?host=sftp.example.org')).body.trim().split('\n');
    expect(lines).toEqual([
      expect.stringMatching(/^\[sftp\.example\.org\]:2022 ssh-ed25519 [A-Za-z0-9+/=]+$/),
      expect.stringMatching(/^\[sftp\.example\.org\]:2022 ecdsa-sha2-nistp256 [A-Za-z0-9+/=]+$/),
    ]);
    expect((await read('?host=sftp.example.org&port=22')).body).toMatch(/^sftp\.example\.org ssh-ed25519 /);
    await call(`PATCH /v1/servers/${made.id}`, { version: 1, body: { certificates: [second.id] } });
    expect((await read('?host=sftp.example.org')).body.trim().split('\n')).toEqual([lines[1]]);
    const web = await world.server(zone, { protocol: 'http', port: 443 });
    expectProblem(await call(`GET /v1/servers/${web.id}/known-hosts`), 422, 'invalid-request', '/id');
  });
}
