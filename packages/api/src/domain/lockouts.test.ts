import { denyEntriesKeyed } from '@sallyport/store';
import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type InProcess, inProcess } from '../fixture/in-process.ts';
import { joinedNode, type SignedNode } from '../fixture/signed-node.ts';
import { lockoutDenyKey, longestLockoutMs } from './lockouts.ts';

let plane: InProcess & { close(): void };
let zone: string;
let other: string;
let node: SignedNode;
let sequence: number;
beforeEach(async () => {
  plane = await inProcess();
  [zone, other] = await Promise.all(
    ['inside', 'outside'].map(
      async (name) => (await plane.call('POST /v1/zones', { body: { name, kind: 'internal' } })).body.id,
    ),
  );
  node = await joinedNode(plane, zone);
  sequence = 0;
});
afterEach(() => plane.close());

type Whom = { reason: 'account' | 'source' | 'account-source'; account?: string; source?: string };

/** Has the node tell of these, all until the same time, in milliseconds from now. */
async function tell(whom: readonly Whom[], ms = 60_000): Promise<void> {
  const at = new Date(plane.clock.now).toISOString();
  const until = new Date(plane.clock.now + ms).toISOString();
  sequence++;
  const events = whom.map((one, n) => ({
    id: `event-${sequence}-${n}`,
    at,
    kind: 'lockout',
    outcome: 'refused',
    detail: { until },
    ...one,
  }));
  expect(await node.send('POST', '/v1/node/events', { sequence, events })).toMatchObject({ status: 200 });
}

const listed = async (): Promise<{ id: string; zone: string; counter: string; until: string }[]> =>
  (await plane.call('GET /v1/lockouts?limit=200')).body.items;

const invented = (count: number): Whom[] =>
  Array.from({ length: count }, (_, n) => ({
    reason: 'account-source',
    account: `nobody ${n}`,
    source: '192.0.2.1',
  }));

test('a node locks out in its own zone alone, accounts of its zone alone, and none for longer than a day', async () => {
  await plane.call('POST /v1/accounts', { body: { name: 'ours', zones: [zone, other] } });
  await plane.call('POST /v1/accounts', { body: { name: 'theirs', zones: [other] } });
  await tell(
    [
      { reason: 'account', account: 'theirs' },
      { reason: 'account', account: 'nobody' },
      { reason: 'account', account: 'ours' },
    ],
    10 * longestLockoutMs,
  );
  const until = new Date(plane.clock.now + longestLockoutMs).toISOString();
  expect(await listed()).toMatchObject([{ zone, counter: 'account', account: 'ours', until }]);
});

test('invented names leave room for accounts and sources that are told of in the same minute', async () => {
  await plane.call('POST /v1/accounts', { body: { name: 'ours', zones: [zone] } });
  await tell(invented(100));
  expect(await listed()).toHaveLength(30);
  await tell([...invented(100), { reason: 'account', account: 'ours' }]);
  expect((await listed()).filter(({ counter }) => counter === 'account')).toHaveLength(1);
  const sources = Array.from({ length: 100 }, (_, n): Whom => ({ reason: 'source', source: `192.0.2.${n}` }));
  await tell(sources);
  expect(await listed()).toHaveLength(60);
});

test('however many are locked out and unlocked, sessions that are to end keep their places', async () => {
  const until = new Date(plane.clock.now + 3_600_000).toISOString();
  await plane.deps.store.record((queries) =>
    queries.run(sql`INSERT INTO deny_entries (zone, key, entry, until)
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 8000)
      SELECT ${zone}, 'lockout:' || i, '{"type":"unlock"}', ${until} FROM n`),
  );
  await tell([{ reason: 'source', source: '192.0.2.1' }]);
  const key = lockoutDenyKey({ counter: 'source', source: '192.0.2.1' });
  expect(await denyEntriesKeyed(plane.deps.store.queries, zone, [key])).toEqual([]);
});
