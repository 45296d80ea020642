import { randomUUID } from 'node:crypto';
import { lockout as lockoutShape } from '@sallyport/model';
import { expect, test } from 'vitest';
import { joinedNode, type TestNode, verifiedDenyList } from '../test-node.ts';
import { type Answer, expectProblem, type Json, type World } from '../world.ts';

type Whom = { readonly account?: string; readonly source?: string };

const minuteAhead = () => new Date(Date.now() + 60_000).toISOString();

const locked = (reason: string, whom: Whom, until: string | number = minuteAhead(), at = Date.now()) => ({
  id: randomUUID(),
  at: new Date(at).toISOString(),
  kind: 'lockout',
  outcome: 'refused',
  reason,
  ...whom,
  detail: { until },
});

export function lockoutCases(world: World): void {
  const { call } = world;
  let sequence = 0;

  const tell = (node: TestNode, events: readonly object[]): Promise<Answer> =>
    node.send('POST /v1/node/events', { body: { sequence: ++sequence, events } });
  const listed = async (zone: string, query = ''): Promise<Json[]> =>
    (await call(`GET /v1/lockouts?zone=${zone}${query}`)).body.items;

  async function stage() {
    const zone = await world.zone();
    const node = await joinedNode(world, zone);
    await node.snapshot();
    // Snapshots are no news to it.
    const after = Number.MAX_SAFE_INTEGER;
    const denied = async (deny = 0) =>
      verifiedDenyList(world, node, await node.poll({ after, deny, wait: 20 }));
    return { zone, node, denied };
  }

  test('what a node tells wakes the others of its zone with a signed list, and is listed', async () => {
    const { zone, node, denied } = await stage();
    const account = await world.account(zone);
    const until = minuteAhead();
    const waiting = denied();
    const pair = { account: 'nobody we know', source: '192.0.2.1' };
    expect(
      await tell(node, [
        locked('account-source', pair, until),
        locked('source', { source: '2001:db8:0:1::/64' }, until),
        locked('account', { account: account.name }, until),
      ]),
    ).toMatchObject({ status: 200 });
    const { entries } = await waiting;
    expect(entries).toHaveLength(3);
    expect(entries).toContainEqual({ type: 'account-source', ...pair, until });
    expect(entries).toContainEqual({ type: 'source', source: '2001:db8:0:1::/64', until });
    expect(entries).toContainEqual({ type: 'account', account: account.name, until });

    const items = await listed(zone);
    for (const item of items) lockoutShape.parse(item);
    expect(items).toHaveLength(3);
    expect(await listed(zone, `&counter=account`)).toMatchObject([
      { zone, node: node.id, account: account.name, until, since: expect.any(String) },
    ]);
    expect(await listed(zone, `&source=192.0.2.1`)).toMatchObject([pair]);
    expect(await listed(await world.sharedZone(), '&source=192.0.2.1')).toEqual([]);
  });

  test('unlocking takes the block off the list, and has nodes forget their own', async () => {
    const { zone, node, denied } = await stage();
    const whom = { account: 'anna', source: '192.0.2.1' };
    await tell(node, [locked('account-source', whom)]);
    const [{ id }] = await listed(zone);
    const { sequence: before } = await denied();
    const waiting = denied(before);
    const answer = await call(`DELETE /v1/lockouts/${id}`);
    expect(answer).toMatchObject({ status: 200, body: { changeSequence: expect.any(Number) } });
    const target = { counter: 'account-source', ...whom };
    expect((await waiting).entries).toMatchObject([{ type: 'unlock', target }]);
    expect(await listed(zone)).toEqual([]);
    expect(await world.audited(`lockout:${id}`)).toMatchObject([{ action: 'lockout.end', detail: whom }]);
    expectProblem(await call(`DELETE /v1/lockouts/${id}`), 404, 'not-found');

    // What was on its way since before comes too late; what is counted afterwards counts.
    await tell(node, [locked('account-source', whom, minuteAhead(), Date.now() - 10_000)]);
    expect(await listed(zone)).toEqual([]);
    await tell(node, [locked('account-source', whom, minuteAhead(), Date.now() + 1_000)]);
    expect(await listed(zone)).toHaveLength(1);
  });

  test('a node locks out only so long and so many, and no account of another zone', async () => {
    const { zone, node } = await stage();
    const stranger = await world.account(await world.sharedZone());
    const years = new Date(Date.now() + 1e11).toISOString();
    await tell(node, [
      locked('account', { account: stranger.name }),
      locked('account', { account: 'nobody' }),
      locked('account', {}),
      locked('source', { source: '192.0.2.1', account: 'anna' }),
      locked('source', { source: '192.0.2.2' }, 'tomorrow'),
      locked('source', { source: '192.0.2.3' }, 1),
      locked('source', { source: '192.0.2.4' }, '2001-01-01T00:00:00Z'),
      locked('everything', {}),
      locked('source', { source: '192.0.2.5' }, years),
    ]);
    const items = await listed(zone);
    expect(items).toMatchObject([{ source: '192.0.2.5' }]);
    expect(Date.parse(items[0].until)).toBeLessThanOrEqual(Date.now() + 86_400_000);

    const flood = Array.from({ length: 200 }, (_, n) =>
      locked('account-source', { account: `name-${n}`, source: '198.51.100.1' }),
    );
    await tell(node, flood);
    expect((await listed(zone, '&limit=500')).length).toBeLessThanOrEqual(60);
  });

  test('a source that is locked out as a whole takes no places for names', async () => {
    const { zone, node } = await stage();
    await tell(node, [
      locked('source', { source: '198.51.100.1' }),
      locked('account-source', { account: 'a', source: '198.51.100.1' }),
      locked('account-source', { account: 'a', source: '198.51.100.2' }),
    ]);
    expect((await listed(zone)).map(({ source }: Json) => source).sort()).toEqual([
      '198.51.100.1',
      '198.51.100.2',
    ]);
  });

  test('who may see and unlock', async () => {
    const { zone, node } = await stage();
    await tell(node, [locked('source', { source: '192.0.2.1' })]);
    const [{ id }] = await listed(zone);
    const elsewhere = await world.token(['lockouts:*'], [await world.sharedZone()]);
    expectProblem(await call(`GET /v1/lockouts?zone=${zone}`, { token: elsewhere }), 403, 'forbidden');
    expectProblem(await call(`DELETE /v1/lockouts/${id}`, { token: elsewhere }), 403, 'forbidden');
    const reader = await world.token(['lockouts:read'], [zone]);
    expect((await call('GET /v1/lockouts', { token: reader })).body.items).toHaveLength(1);
    expectProblem(await call(`DELETE /v1/lockouts/${id}`, { token: reader }), 403, 'forbidden');
    const keeper = await world.token(['lockouts:write'], [zone]);
    expect((await call(`DELETE /v1/lockouts/${id}`, { token: keeper })).status).toBe(200);
  });

  test('lock-out settings are parsed strictly and replaced whole', async () => {
    const settings = async () => (await call('GET /v1/login-settings')).body;
    const change = async (lockout: object) =>
      call('PATCH /v1/login-settings', { body: { lockout }, version: (await settings()).version });
    const before = (await settings()).lockout;
    expect(before).toMatchObject({ accountSource: 5, allow: [] });
    for (const [bad, pointer] of [
      [{ accountSource: 0 }, '/lockout/accountSource'],
      [{ allow: ['10.0.0.1'] }, '/lockout/allow/0'],
      [{ allow: ['10.0.0.0/33'] }, '/lockout/allow/0'],
      [{ blockSeconds: 86_401 }, '/lockout/blockSeconds'],
      [{ failureDelayMs: -1 }, '/lockout/failureDelayMs'],
      [{ threshold: 3 }, '/lockout/threshold'],
    ] as const) {
      expectProblem(await change(bad), 422, 'invalid-request', pointer);
    }
    expect((await change({ account: null, allow: ['10.0.0.0/8'] })).body.lockout).toEqual({
      ...before,
      account: null,
      allow: ['10.0.0.0/8'],
    });
    expect((await change({})).body.lockout).toEqual(before);
  });
}
