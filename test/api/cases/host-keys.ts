import { expect, test } from 'vitest';
import { joinedNode } from '../test-node.ts';
import { expectProblem, type Json, type World } from '../world.ts';

/** Rotation of host keys: who has learned which, and who will be surprised. */
export function hostKeyCases(world: World): void {
  const { call } = world;

  async function rotation() {
    const zone = await world.zone();
    const node = await joinedNode(world, zone);
    const [old, next] = [await world.localCertificate(zone), await world.localCertificate(zone)];
    const server = await world.server(zone, { certificates: [old.id, next.id] });
    const names = ['anna', 'bert'].map((name) => world.unique(name));
    for (const name of names) await call('POST /v1/accounts', { body: { name, zones: [zone] } });
    let sequence = 0;
    const report = (...events: object[]) =>
      node.send('POST /v1/node/events', {
        body: {
          sequence: ++sequence,
          events: events.map((event, index) => ({
            id: `${server.id}-${sequence}-${index}`,
            at: new Date().toISOString(),
            server: server.id,
            ...event,
          })),
        },
      });
    const login = (account: string, hostKey: string) =>
      ({ kind: 'login', outcome: 'permitted', account, detail: { hostKey } }) as const;
    return { zone, node, old, next, server, names, report, login };
  }

  test('receipts say which keys the clients of an account know', async () => {
    const { old, next, server, names, report, login } = await rotation();
    const [anna = '', bert = ''] = names;
    const stranger = {
      kind: 'login',
      outcome: 'refused',
      account: 'x',
      detail: { hostKey: old.key.sshFingerprint },
    };
    await report(login(anna, old.key.sshFingerprint), login(bert, old.key.sshFingerprint), stranger);
    await report({
      kind: 'host-key',
      outcome: 'completed',
      account: anna,
      detail: { fingerprints: `${old.key.sshFingerprint},${next.key.sshFingerprint}` },
    });
    const read = (query = '') => call(`GET /v1/servers/${server.id}/host-key-receipts${query}`);
    const { body } = await read();
    expect(body.keys).toEqual([
      { certificate: old.id, fingerprint: old.key.sshFingerprint, type: 'ed25519', inUse: true },
      { certificate: next.id, fingerprint: next.key.sshFingerprint, type: 'ed25519', inUse: false },
    ]);
    expect(body.items).toMatchObject([
      { account: anna, missing: [] },
      { account: bert, missing: [next.key.sshFingerprint] },
    ]);
    expect(body.items[0].known.map((known: Json) => known.fingerprint).sort()).toEqual(
      [old.key.sshFingerprint, next.key.sshFingerprint].sort(),
    );
    const first = await read('?limit=1');
    expect(first.body).toMatchObject({ items: [{ account: anna }], nextCursor: anna });
    expect((await read(`?cursor=${anna}`)).body.items).toMatchObject([{ account: bert }]);
  });

  test('retiring a key warns of those who know no other', async () => {
    const { old, next, server, names, report, login } = await rotation();
    const [anna = '', bert = ''] = names;
    await report(login(anna, old.key.sshFingerprint), login(bert, old.key.sshFingerprint));
    await report(login('gone', old.key.sshFingerprint), login(anna, next.key.sshFingerprint));
    const assign = (version: number, ...certificates: string[]) =>
      call(`PATCH /v1/servers/${server.id}`, { version, body: { certificates } });
    expect((await assign(1, old.id, next.id)).body).not.toHaveProperty('warnings');
    const warnings = [{ code: 'host-key-not-learned', accounts: [bert] }];
    expect((await assign(2, next.id, old.id)).body).toMatchObject({ warnings });
    expect((await assign(3, next.id)).body).not.toHaveProperty('warnings');
    expect((await assign(4, old.id)).body).not.toHaveProperty('warnings');
    await report(login(bert, next.key.sshFingerprint));
    expect((await assign(5, next.id)).body).not.toHaveProperty('warnings');
  });

  test('of another zone’s server a node says nothing', async () => {
    const { server, old } = await rotation();
    const { node } = await rotation();
    const event = {
      id: 'foreign',
      at: new Date().toISOString(),
      kind: 'login',
      outcome: 'permitted',
      server: server.id,
      account: 'anna',
      detail: { hostKey: old.key.sshFingerprint },
    };
    await node.send('POST /v1/node/events', { body: { sequence: 100, events: [event] } });
    expect((await call(`GET /v1/servers/${server.id}/host-key-receipts`)).body.items).toEqual([]);
    const web = await world.server(server.zone, { protocol: 'http', port: 443 });
    expectProblem(await call(`GET /v1/servers/${web.id}/host-key-receipts`), 422, 'invalid-request', '/id');
  });
}
