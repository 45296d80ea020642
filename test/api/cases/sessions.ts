import { randomUUID } from 'node:crypto';
import { type LiveSession, session as sessionShape } from '@sallyport/model';
import { expect, test } from 'vitest';
import { joinedNode, type TestNode, verifiedDenyList } from '../test-node.ts';
import { type Answer, expectProblem, type Json, type World } from '../world.ts';

const live = (changes: Partial<LiveSession> = {}): LiveSession => ({
  id: randomUUID(),
  server: 'srv_one',
  protocol: 'ssh',
  account: 'anna',
  source: '192.0.2.7',
  since: '2026-06-01T00:00:00.000Z',
  proofs: ['credential'],
  credential: 'SHA256:abc',
  outdated: false,
  ...changes,
});

const idsOf = ({ body }: Answer): string[] => body.items.map(({ id }: Json) => id);

export function sessionCases(world: World): void {
  const { call } = world;

  const denyListOf = (node: TestNode, answer: Answer) => verifiedDenyList(world, node, answer);

  test('sessions are listed as their node last told of them, and shown', async () => {
    const zone = await world.zone();
    const node = await joinedNode(world, zone);
    const one = live();
    const other = live({ server: 'srv_two', protocol: 'http', account: 'bert', source: '2001:db8::1' });
    const { credential: _none, ...outdated } = live({ outdated: true, proofs: ['password', 'credential'] });
    expect((await node.report([one, other, outdated])).status).toBe(200);
    const listed = await call(`GET /v1/sessions?zone=${zone}`);
    expect(listed.body.items.map((item: Json) => sessionShape.parse(item))).toEqual(
      [one, other, outdated]
        .sort((a, b) => (a.id < b.id ? -1 : 1))
        .map((told) => ({ ...told, node: node.id, zone, ending: false, seenAt: expect.any(String) })),
    );
    expect((await call(`GET /v1/sessions/${one.id}`)).body).toMatchObject({ ...one, ending: false });

    const filtered = async (query: string) => idsOf(await call(`GET /v1/sessions?zone=${zone}&${query}`));
    expect(await filtered('server=srv_two')).toEqual([other.id]);
    expect(await filtered('account=bert')).toEqual([other.id]);
    expect(await filtered('protocol=http')).toEqual([other.id]);
    expect(await filtered('source=2001:db8::1')).toEqual([other.id]);
    expect(await filtered('outdated=true')).toEqual([outdated.id]);
    expect(await filtered(`outdated=false&account=anna&node=${node.id}`)).toEqual([one.id]);
    expect(await filtered('node=nod_other')).toEqual([]);
    const first = await call(`GET /v1/sessions?zone=${zone}&limit=2`);
    const rest = await call(`GET /v1/sessions?zone=${zone}&limit=2&cursor=${first.body.nextCursor}`);
    expect([...idsOf(first), ...idsOf(rest)]).toEqual([one.id, other.id, outdated.id].sort());

    await node.report([{ ...one, outdated: true }]);
    expect((await call(`GET /v1/sessions?zone=${zone}`)).body.items).toMatchObject([
      { id: one.id, outdated: true },
    ]);
    await node.report([]);
    expectProblem(await call(`GET /v1/sessions/${one.id}`), 404, 'not-found');
  });

  test('a node tells of its own sessions alone, and of none once it is removed', async () => {
    const zone = await world.zone();
    const [node, other] = [await joinedNode(world, zone), await joinedNode(world, zone)];
    const [one, two] = [live(), live()];
    await node.report([one]);
    await other.report([{ ...one, account: 'mallory', outdated: true }, two]);
    expect((await call(`GET /v1/sessions/${one.id}`)).body).toMatchObject({ ...one, node: node.id });
    await other.report([]);
    expect(idsOf(await call(`GET /v1/sessions?zone=${zone}`))).toEqual([one.id]);
    await call(`PATCH /v1/nodes/${node.id}`, { body: { state: 'removed' }, version: 1 });
    expect(idsOf(await call(`GET /v1/sessions?zone=${zone}`))).toEqual([]);
  });

  test('a report that is no report, or too long a one', async () => {
    const node = await joinedNode(world, await world.sharedZone());
    expectProblem(await node.report([live({ id: 'srv' })]), 422, 'invalid-request', '/sessions/items/0/id');
    expectProblem(
      await node.report([{ ...live(), password: 'x' } as LiveSession]),
      422,
      'invalid-request',
      '/sessions/items/0/password',
    );
    const many = Array.from({ length: 5_001 }, () => live());
    expectProblem(await node.report(many), 422, 'invalid-request', '/sessions/items');
    expect((await node.report(many.slice(0, 500))).status).toBe(200);
    expect((await node.report([])).status).toBe(200);
  });

  test('ending a session wakes the nodes of its zone with a signed list that names it', async () => {
    const zone = await world.zone();
    const node = await joinedNode(world, zone);
    const { version } = (await node.snapshot()).manifest;
    const [one, two] = [live(), live()];
    await node.report([one, two]);
    expect((await node.poll({ after: version, wait: 0 })).body.denyList).toBeUndefined();

    const waiting = node.poll({ after: version, wait: 20 });
    const ended = await call(`POST /v1/sessions/${one.id}/end`);
    expect(ended).toMatchObject({
      status: 202,
      body: { id: one.id, ending: true, changeSequence: expect.any(Number), deniedUntil: expect.any(String) },
    });
    const first = await denyListOf(node, await waiting);
    expect(first.entries).toEqual([{ type: 'session', session: one.id, until: ended.body.deniedUntil }]);
    expect((await call(`GET /v1/sessions/${one.id}`)).body.ending).toBe(true);
    expect((await call(`GET /v1/sessions/${two.id}`)).body.ending).toBe(false);
    expect(
      (await node.poll({ after: version, deny: first.sequence, wait: 0 })).body.denyList,
    ).toBeUndefined();
    expect(await world.audited(`session:${one.id}`)).toMatchObject([
      { action: 'session.end', detail: { account: 'anna', node: node.id, server: 'srv_one' } },
    ]);

    // The node says that it is over: its entry goes with the next one.
    await node.report([two]);
    await call(`POST /v1/sessions/${two.id}/end`);
    const second = await denyListOf(
      node,
      await node.poll({ after: version, deny: first.sequence, wait: 20 }),
    );
    expect(second.sequence).toBeGreaterThan(first.sequence);
    expect(second.entries).toMatchObject([{ session: two.id }]);
    // No version was published for it.
    expect((await node.snapshot()).manifest.version).toBe(version);
  });

  test('sessions ended at once are all on the list', async () => {
    const zone = await world.zone();
    const nodes = [await joinedNode(world, zone), await joinedNode(world, zone)] as const;
    const { version } = (await nodes[0].snapshot()).manifest;
    const told = Array.from({ length: 6 }, () => live());
    await nodes[0].report(told);
    const answers = await Promise.all(told.map(({ id }) => call(`POST /v1/sessions/${id}/end`)));
    expect(answers.map(({ status }) => status)).toEqual(told.map(() => 202));
    for (const node of nodes) {
      const list = await denyListOf(node, await node.poll({ after: version, wait: 20 }));
      expect(list.entries.map((entry) => (entry.type === 'session' ? entry.session : ''))).toEqual(
        told.map(({ id }) => id).sort(),
      );
    }
  });

  test('who may see and end sessions', async () => {
    const zone = await world.zone();
    const node = await joinedNode(world, zone);
    const one = live();
    await node.report([one]);
    const end = `POST /v1/sessions/${one.id}/end`;
    const reader = await world.token(['sessions:read'], [zone]);
    const foreign = await world.token(['sessions:*'], [await world.sharedZone()]);
    expectProblem(await call(end, { token: reader }), 403, 'forbidden');
    expectProblem(await call(end, { token: foreign }), 403, 'forbidden');
    expectProblem(await call(`GET /v1/sessions/${one.id}`, { token: foreign }), 403, 'forbidden');
    expectProblem(await call(`GET /v1/sessions?zone=${zone}`, { token: foreign }), 403, 'forbidden');
    expect(idsOf(await call('GET /v1/sessions?limit=500', { token: foreign }))).not.toContain(one.id);
    expect(idsOf(await call('GET /v1/sessions', { token: reader }))).toEqual([one.id]);
    expectProblem(await call(`POST /v1/sessions/${randomUUID()}/end`), 404, 'not-found');
    expectProblem(await call('POST /v1/sessions/one/end'), 422, 'invalid-request', 'path/id');
    expectProblem(await call('GET /v1/sessions?outdated=maybe'), 422, 'invalid-request', 'query/outdated');
    expect((await call(end, { token: await world.token(['sessions:write'], [zone]) })).status).toBe(202);
  });
}
