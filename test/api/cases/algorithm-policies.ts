import { algorithmPolicy, builtInAlgorithmPolicies, modernPolicy } from '@sallyport/model';
import { expect, test } from 'vitest';
import { joinedNode } from '../test-node.ts';
import { expectProblem, type World } from '../world.ts';

export function algorithmPolicyCases(world: World): void {
  const { call, unique } = world;
  const gcm = { ...modernPolicy.ssh, ciphers: ['aes256-gcm@openssh.com', 'aes128-gcm@openssh.com'] };

  test('the built-in ones are there, and nobody changes them', async () => {
    const { items } = (await call('GET /v1/algorithm-policies')).body;
    for (const policy of builtInAlgorithmPolicies) {
      expect(items).toContainEqual(policy);
      expect((await call(`GET /v1/algorithm-policies/${policy.id}`)).body).toEqual(policy);
    }
    const path = '/v1/algorithm-policies/modern';
    expectProblem(await call(`PATCH ${path}`, { version: 1, body: { ssh: gcm } }), 422, 'policy-refused');
    expectProblem(await call(`DELETE ${path}`, { version: 1 }), 422, 'policy-refused');
    const { body } = await call('GET /v1/algorithm-policies?limit=2');
    const rest = await call(`GET /v1/algorithm-policies?cursor=${body.nextCursor}`);
    expect([...body.items, ...rest.body.items].map(({ id }) => id)).toEqual(
      items.map(({ id }: { id: string }) => id),
    );
  });

  test('one of your own: create, show, change, use, delete', async () => {
    const body = { name: unique('policy'), description: 'AES-GCM alone', ssh: gcm };
    const created = await call('POST /v1/algorithm-policies', { body });
    expect(created).toMatchObject({
      status: 201,
      body: { ...body, origin: 'custom', tls: modernPolicy.tls, version: 1 },
    });
    const { changeSequence: _, ...policy } = created.body;
    expect(algorithmPolicy.parse(policy)).toEqual(policy);
    expectProblem(await call('POST /v1/algorithm-policies', { body }), 409, 'alias-in-use', '/name');

    const path = `/v1/algorithm-policies/${policy.id}`;
    expect((await call(`GET ${path}`)).body).toEqual(policy);
    const reordered = { ...gcm, ciphers: [...gcm.ciphers].reverse() };
    const patch = { description: null, ssh: reordered };
    const changed = await call(`PATCH ${path}`, { version: 1, body: patch });
    expect(changed.body).toMatchObject({ ssh: reordered, version: 2 });
    expect(changed.body).not.toHaveProperty('description');
    expectProblem(await call(`PATCH ${path}`, { version: 1, body: patch }), 412, 'precondition-failed');

    const server = await world.server(await world.sharedZone(), { algorithmPolicy: body.name });
    const inUse = await call(`DELETE ${path}`, { version: 2 });
    expectProblem(inUse, 409, 'in-use');
    expect(inUse.body.usedBy).toEqual([`server:${server.name}`]);
    await call(`PATCH /v1/servers/${server.id}`, { version: 1, body: { algorithmPolicy: 'fips' } });
    expect((await call(`DELETE ${path}`, { version: 2 })).status).toBe(200);
    expectProblem(await call(`GET ${path}`), 404, 'not-found');
  });

  test('what the engines cannot do is refused, by field and with its reason', async () => {
    const create = (lists: object) =>
      call('POST /v1/algorithm-policies', { body: { name: unique('policy'), ...lists } });
    const refused = await create({
      ssh: {
        ...gcm,
        kex: ['curve25519-sha256', 'diffie-hellman-group-exchange-sha256'],
        ciphers: ['aes256-ctr', '3des-cbc'],
        macs: ['hmac-md5', 'hmac-sha2-256', 'hmac-sha2-256'],
        hostKeys: ['ssh-dss'],
      },
    });
    expectProblem(
      refused,
      422,
      'policy-refused',
      '/ssh/kex/1',
      '/ssh/hostKeys/0',
      '/ssh/ciphers/1',
      '/ssh/macs/0',
      '/ssh/macs/2',
    );
    expect(refused.body.fields[0].detail).toMatch(/group exchange/);
    expectProblem(
      await create({
        tls: {
          versions: ['1.3'],
          suites: ['TLS_RSA_WITH_AES_128_CBC_SHA'],
          groups: ['sect571r1'],
          signatures: ['ed25519', 'rsa_pkcs1_sha1'],
        },
      }),
      422,
      'policy-refused',
      '/tls/suites/0',
      '/tls/groups/0',
      '/tls/signatures/1',
      '/tls/versions/0',
    );
    expectProblem(await create({ ssh: { ...gcm, kex: [] } }), 422, 'invalid-request', '/ssh/kex');
    expectProblem(await create({ ssh: { ...gcm, kex: ['a,b'] } }), 422, 'invalid-request', '/ssh/kex/0');
  });

  test('a server names a policy that there is, and that lets one of its host keys sign', async () => {
    const zone = await world.sharedZone();
    const edwards = await world.localCertificate(zone, 'ed25519');
    const nist = await world.localCertificate(zone, 'ecdsa-p256');
    const made = await world.server(zone, { certificates: [edwards.id] });
    const change = (body: object) => call(`PATCH /v1/servers/${made.id}`, { version: 1, body });
    expectProblem(await change({ algorithmPolicy: 'none' }), 422, 'invalid-request', '/algorithmPolicy');
    expectProblem(await change({ algorithmPolicy: 'fips' }), 422, 'policy-refused', '/algorithmPolicy');
    expect((await change({ algorithmPolicy: 'fips', certificates: [edwards.id, nist.id] })).status).toBe(200);

    const own = await call('POST /v1/algorithm-policies', { body: { name: unique('policy') } });
    await world.server(zone, { certificates: [edwards.id], algorithmPolicy: own.body.name });
    const rsaOnly = { ...modernPolicy.ssh, hostKeys: ['rsa-sha2-512'] };
    expectProblem(
      await call(`PATCH /v1/algorithm-policies/${own.body.id}`, { version: 1, body: { ssh: rsaOnly } }),
      422,
      'policy-refused',
      '/ssh/hostKeys',
    );
  });

  test('a TLS server needs a certificate that the policy lets sign', async () => {
    const zone = await world.sharedZone();
    const edwards = await world.localCertificate(zone, 'ed25519');
    const https = { protocol: 'http', certificates: [edwards.id] };
    const made = await world.server(zone, https);
    expectProblem(
      await call(`PATCH /v1/servers/${made.id}`, { version: 1, body: { algorithmPolicy: 'fips' } }),
      422,
      'policy-refused',
      '/algorithmPolicy',
    );
    const own = await call('POST /v1/algorithm-policies', { body: { name: unique('policy') } });
    await world.server(zone, { ...https, algorithmPolicy: own.body.name });
    for (const tls of [
      { ...modernPolicy.tls, signatures: ['ecdsa_secp256r1_sha256', 'rsa_pkcs1_sha256'] },
      {
        ...modernPolicy.tls,
        versions: ['1.2'],
        suites: ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'],
      },
    ]) {
      expectProblem(
        await call(`PATCH /v1/algorithm-policies/${own.body.id}`, { version: 1, body: { tls } }),
        422,
        'policy-refused',
        '/tls/signatures',
      );
    }
  });

  test('the snapshot has its lists in their order', async () => {
    const zone = await world.zone();
    const node = await joinedNode(world, zone);
    const own = await call('POST /v1/algorithm-policies', { body: { name: unique('policy'), ssh: gcm } });
    const { changeSequence } = await world.server(zone, { algorithmPolicy: own.body.name });
    await expect
      .poll(async () => (await world.admin().propagation(zone, changeSequence)).state, { timeout: 10_000 })
      .not.toBe('publishing');
    const { reader } = await node.snapshot();
    expect(reader.servers.map(({ algorithms }) => algorithms)).toEqual([{ ssh: gcm, tls: modernPolicy.tls }]);
  });

  test('whoever does not reach all zones changes none', async () => {
    const token = await world.token(['policy:write'], [await world.sharedZone()]);
    const answer = await call('POST /v1/algorithm-policies', { token, body: { name: unique('policy') } });
    expectProblem(answer, 403, 'forbidden');
  });
}
