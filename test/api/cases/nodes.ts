import { randomBytes } from 'node:crypto';
import { node as nodeShape } from '@sallyport/model';
import { expect, test } from 'vitest';
import { invite, joinedNode, joinRequest, nodeKeys, nodeOf, sendJoin } from '../test-node.ts';
import { expectProblem, type World } from '../world.ts';

const base64 = (length: number) => randomBytes(length).toString('base64');

export function nodeCases(world: World): void {
  const { call, unique } = world;

  test('a node joins, is shown and listed, and its token is spent', async () => {
    const zone = await world.sharedZone();
    const name = unique('node');
    const ticket = await invite(world, zone, { nodeName: name });
    const { plane } = world;
    expect(ticket).toMatchObject({ url: plane().url, zone, root: plane().rootFingerprint, nodeName: name });
    const open = (await call('GET /v1/join-tokens?limit=500')).body.items;
    expect(open.find(({ id }: { id: string }) => id === ticket.token)).toMatchObject({ state: 'open', zone });

    const answer = await sendJoin(world, await joinRequest(ticket, name, await nodeKeys()));
    expect(answer).toMatchObject({ status: 200, body: { zone, state: 'active', root: expect.any(String) } });
    const shown = await call(`GET /v1/nodes/${answer.body.node}`);
    expect(shown.headers.get('etag')).toBe('"1"');
    expect(nodeShape.parse(shown.body)).toMatchObject({
      name,
      zone,
      state: 'active',
      version: 1,
      overrides: [],
    });
    expect((await world.admin().nodes.list()).find(({ id }) => id === answer.body.node)).toEqual(shown.body);
    const spent = (await call('GET /v1/join-tokens?limit=500')).body.items;
    expect(spent.find(({ id }: { id: string }) => id === ticket.token)).toMatchObject({
      state: 'spent',
      node: answer.body.node,
    });
  });

  test('a retry with the same keys gets the same answer, another node none', async () => {
    const ticket = await invite(world, await world.sharedZone());
    const keys = await nodeKeys();
    const request = await joinRequest(ticket, unique('node'), keys);
    const first = await sendJoin(world, request);
    expect(await sendJoin(world, request)).toMatchObject({ status: 200, body: first.body });
    const other = await joinRequest(ticket, unique('node'), await nodeKeys());
    expectProblem(await sendJoin(world, other), 403, 'join-token-spent');
    const halfOther = { ...keys, sealing: (await nodeKeys()).sealing };
    expectProblem(
      await sendJoin(world, await joinRequest(ticket, request.name, halfOther)),
      403,
      'join-token-spent',
    );
  });

  test('of two nodes that race for a token one joins', async () => {
    const ticket = await invite(world, await world.sharedZone());
    const join = async () => sendJoin(world, await joinRequest(ticket, unique('node'), await nodeKeys()));
    const answers = await Promise.all([join(), join(), join()]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 403, 403]);
    for (const answer of answers) if (answer.status !== 200) expectProblem(answer, 403, 'join-token-spent');
  });

  test('an expired token, an unknown one, and one for another name or address', async () => {
    const zone = await world.sharedZone();
    const keys = await nodeKeys();
    const name = unique('node');
    const join = async (ticket: Awaited<ReturnType<typeof invite>>) =>
      sendJoin(world, await joinRequest(ticket, name, keys));
    const short = await invite(world, zone, { validSeconds: 1 });
    await expect
      .poll(async () => (await call('GET /v1/join-tokens?limit=500')).body.items, { timeout: 5_000 })
      .toContainEqual(expect.objectContaining({ id: short.token, state: 'expired' }));
    expectProblem(await join(short), 403, 'join-token-expired');
    expectProblem(await join({ ...short, token: 'jtk_unknown' }), 403, 'join-token-invalid');
    expectProblem(
      await join(await invite(world, zone, { nodeName: unique('other') })),
      403,
      'join-token-invalid',
    );
    expectProblem(
      await join(await invite(world, zone, { sourceCidr: '203.0.113.0/24' })),
      403,
      'join-token-invalid',
    );
    expect((await join(await invite(world, zone))).status).toBe(200);
  });

  test('a request that is not proved by the secret and the key', async () => {
    const ticket = await invite(world, await world.sharedZone());
    const keys = await nodeKeys();
    const name = unique('node');
    const refuse = async (forged: object, given = ticket) =>
      expectProblem(
        await sendJoin(world, await joinRequest(given, name, keys, forged)),
        403,
        'join-proof-invalid',
      );
    await refuse({ proof: base64(32) });
    await refuse({ proof: '' });
    await refuse({ signature: base64(64) });
    await refuse({ signature: '' });
    await refuse({ name: unique('another') });
    await refuse({ signingKey: base64(32) });
    await refuse({ sealingKey: base64(32) });
    await refuse({ sealingKey: base64(31) });
    await refuse({}, { ...ticket, secret: randomBytes(32).toString('base64url') });
    const request = await joinRequest(ticket, name, keys);
    expectProblem(await sendJoin(world, { ...request, name: 'No Alias' }), 422, 'invalid-request', '/name');
    expectProblem(await sendJoin(world, { ...request, proof: '*' }), 422, 'invalid-request', '/proof');
    expect((await sendJoin(world, request)).status).toBe(200);
  });

  test('a name or a key in use', async () => {
    const zone = await world.sharedZone();
    const keys = await nodeKeys();
    const name = unique('node');
    expect((await sendJoin(world, await joinRequest(await invite(world, zone), name, keys))).status).toBe(
      200,
    );
    const ticket = await invite(world, zone);
    expectProblem(
      await sendJoin(world, await joinRequest(ticket, name, await nodeKeys())),
      409,
      'alias-in-use',
      '/name',
    );
    expectProblem(
      await sendJoin(world, await joinRequest(ticket, unique('node'), keys)),
      403,
      'join-proof-invalid',
    );
    expect((await sendJoin(world, await joinRequest(ticket, unique('node'), await nodeKeys()))).status).toBe(
      200,
    );
  });

  test('a token is for a zone that is there', async () => {
    expectProblem(
      await call('POST /v1/join-tokens', { body: { zone: 'nowhere' } }),
      422,
      'invalid-request',
      '/zone',
    );
    const body = { zone: await world.sharedZone(), sourceCidr: '10.0.0.0/33' };
    expectProblem(await call('POST /v1/join-tokens', { body }), 422, 'invalid-request', '/sourceCidr');
  });

  test('a node of an edge zone gets nothing until somebody who may approves it', async () => {
    const zone = await world.zone({ kind: 'edge' });
    await world.localCertificate(zone);
    const keys = await nodeKeys();
    const joined = await sendJoin(world, await joinRequest(await invite(world, zone), unique('node'), keys));
    expect(joined.body).toMatchObject({ state: 'pending' });
    const node = nodeOf(world, joined.body, keys);
    expectProblem(await node.poll({ after: 0, wait: 0 }), 403, 'node-pending');
    expectProblem(await node.send(`GET /v1/node/sections/${'0'.repeat(64)}`), 403, 'node-pending');
    expect((await node.send('GET /v1/node/roots/1')).body).toBe(joined.body.root);

    const path = `PATCH /v1/nodes/${node.id}`;
    const body = { state: 'active' };
    const writer = await world.token(['nodes:write']);
    expectProblem(await call(path, { body, version: 1, token: writer }), 403, 'forbidden');
    expectProblem(await call(path, { body }), 428, 'precondition-required');
    expectProblem(await call(path, { body, version: 2 }), 412, 'precondition-failed');
    const approver = await world.token(['nodes:write', 'nodes:approve'], [zone]);
    expect((await call(path, { body, version: 1, token: approver })).body).toMatchObject({
      state: 'active',
      version: 2,
    });
    await expect
      .poll(async () => (await node.poll({ after: 0, wait: 5 })).status, { timeout: 10_000 })
      .toBe(200);
  });

  test('overrides name servers of the node’s own zone, once each', async () => {
    const zone = await world.sharedZone();
    const node = await joinedNode(world, zone);
    const server = await world.server(zone);
    const foreign = await world.server(await world.zone());
    const change = (...overrides: object[]) =>
      call(`PATCH /v1/nodes/${node.id}`, { body: { overrides }, version: 1 });
    expectProblem(await change({ server: foreign.id }), 422, 'invalid-request', '/overrides/0/server');
    const twice = await change({ server: server.id, port: 2200 }, { server: server.id });
    expectProblem(twice, 422, 'invalid-request', '/overrides/1/server');
    expect((await change({ server: server.id, port: 2200, run: false })).body).toMatchObject({
      overrides: [{ server: server.id, port: 2200, run: false }],
      version: 2,
    });
  });

  test('requests that are unsigned, signed by another, for another request, or at another time', async () => {
    const zone = await world.sharedZone();
    const node = await joinedNode(world, zone);
    const other = await joinedNode(world, zone);
    const path = 'GET /v1/node/roots/1';
    const status = { sequence: 1, appliedVersion: 0, serving: 'serving', items: [] };
    const invalid: [string, Parameters<typeof node.send>[1]?][] = [
      [path, { keys: await nodeKeys() }],
      [path, { keyId: other.id }],
      [path, { keyId: 'nod_unknown' }],
      [path, { sentRoute: 'GET /v1/node/roots/2' }],
      [path, { sentRoute: 'GET /v1/node/poll' }],
      ['POST /v1/node/status', { body: status, sentBody: JSON.stringify({ ...status, appliedVersion: 9 }) }],
    ];
    expectProblem(await call(path, { token: null }), 401, 'node-signature-invalid');
    expectProblem(await call(path), 401, 'node-signature-invalid');
    for (const [route, options] of invalid) {
      expectProblem(await node.send(route, options), 401, 'node-signature-invalid');
    }
    for (const seconds of [-150, 150]) {
      expectProblem(await node.send(path, { now: Date.now() + seconds * 1000 }), 401, 'node-clock-skew');
    }
    for (const seconds of [-90, 90]) {
      expect((await node.send(path, { now: Date.now() + seconds * 1000 })).status).toBe(200);
    }
    expect((await node.send('POST /v1/node/status', { body: status })).status).toBe(200);
  });

  test('a report is taken once, in its order', async () => {
    const node = await joinedNode(world, await world.sharedZone());
    const items = [{ item: 'server:a', result: 'nack', fault: 'item-port-in-use', detail: 'port 22' }];
    const report = (sequence: number, appliedVersion: number) =>
      node.send('POST /v1/node/status', { body: { sequence, appliedVersion, serving: 'stale', items } });
    expect((await report(5, 3)).body).toEqual({ accepted: true });
    expectProblem(await report(5, 2), 409, 'node-replayed');
    expectProblem(await report(4, 2), 409, 'node-replayed');
    expect((await call(`GET /v1/nodes/${node.id}`)).body).toMatchObject({
      appliedVersion: 3,
      serving: 'stale',
      items,
      lastSeenAt: expect.any(String),
      version: 1,
    });
    expect((await report(6, 4)).status).toBe(200);
  });

  test('events are stored once, under the node and zone that sent them', async () => {
    const zone = await world.zone();
    const node = await joinedNode(world, zone);
    const event = (id: string) => ({
      id,
      at: new Date().toISOString(),
      kind: 'login',
      outcome: 'refused',
      reason: 'password-wrong',
    });
    const deliver = (sequence: number, ...ids: string[]) =>
      node.send('POST /v1/node/events', { body: { sequence, events: ids.map(event) } });
    expect((await deliver(1, 'a', 'b')).status).toBe(200);
    expectProblem(await deliver(1, 'c'), 409, 'node-replayed');
    expect((await deliver(2, 'b', 'd')).status).toBe(200);
    const { items } = (await call(`GET /v1/events?zone=${zone}`)).body;
    expect(items.map(({ id }: { id: string }) => id)).toEqual(['a', 'b', 'd']);
    expect(items[0]).toMatchObject({ node: node.id, zone, reason: 'password-wrong' });
    const rest = await call(`GET /v1/events?zone=${zone}&after=${items[0].position}&limit=1`);
    expect(rest.body.items).toEqual([items[1]]);
  });

  test('a removed node is told nothing more, and the zone’s content gets a new key', async () => {
    const zone = await world.zone();
    const node = await joinedNode(world, zone);
    const other = await joinedNode(world, zone);
    const before = (await other.snapshot()).manifest;
    const remove = () => call(`PATCH /v1/nodes/${node.id}`, { body: { state: 'removed' }, version: 1 });
    expect((await remove()).body).toMatchObject({ state: 'removed', version: 2 });
    expectProblem(await node.poll({ after: 0, wait: 0 }), 401, 'node-signature-invalid');
    expectProblem(
      await call(`PATCH /v1/nodes/${node.id}`, { body: { state: 'active' }, version: 2 }),
      412,
      'precondition-failed',
    );
    const news = await other.poll({ after: before.version, wait: 10 });
    expect(news.body.manifest).toEqual(expect.any(String));
    const after = (await other.snapshot()).manifest;
    expect(after.keyEpoch).toBe(before.keyEpoch + 1);
    expect(after.sections.policy.digest).not.toBe(before.sections.policy.digest);
  });

  test('a poll that waits ends without news when its node is removed', async () => {
    const node = await joinedNode(world, await world.zone());
    const { manifest } = await node.snapshot();
    const waiting = node.poll({ after: manifest.version, wait: 10 });
    // Answered after the poll has come in, so that it is one that waits.
    for (let turn = 0; turn < 3; turn++) await node.send('GET /v1/node/roots/1');
    await call(`PATCH /v1/nodes/${node.id}`, { body: { state: 'removed' }, version: 1 });
    expectProblem(await waiting, 401, 'node-signature-invalid');
  });

  test('sections of another zone are not served', async () => {
    const mine = await joinedNode(world, await world.zone());
    const other = await joinedNode(world, await world.zone());
    const { manifest } = await other.snapshot();
    for (const { digest } of Object.values(manifest.sections)) {
      expect((await other.request(`GET /v1/node/sections/${digest}`)).status).toBe(200);
      expectProblem(await mine.send(`GET /v1/node/sections/${digest}`), 404, 'not-found');
    }
    expectProblem(await mine.send('GET /v1/node/sections/abc'), 422, 'invalid-request', 'path/digest');
    expectProblem(await mine.send('GET /v1/node/roots/2'), 404, 'not-found');
  });
}
