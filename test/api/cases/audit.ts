import { auditRow } from '@sallyport/model';
import { emptyHash, firstBrokenRow } from '@sallyport/store';
import { expect, test } from 'vitest';
import { joinedNode } from '../test-node.ts';
import { expectProblem, type Json, type World } from '../world.ts';

export function auditCases(world: World): void {
  const { call, unique } = world;
  const all = async (): Promise<Json[]> => {
    const rows: Json[] = [];
    for (;;) {
      const { body } = await call(`GET /v1/audit?after=${rows.length}&limit=50`);
      if (body.items.length === 0) return rows;
      rows.push(...body.items.map((row: unknown) => auditRow.parse(row)));
    }
  };

  test('every change has its row, by whom, and a refused one has none', async () => {
    const before = (await all()).length;
    const zone = (await call('POST /v1/zones', { body: { name: unique('zone'), kind: 'internal' } })).body;
    await call(`PATCH /v1/zones/${zone.id}`, { body: { storage: 'shared' }, version: 1 });
    const account = await world.account(zone.id, { password: 'correct horse' });
    await call(`PATCH /v1/accounts/${account.id}`, {
      body: { enabled: false, password: 'another horse' },
      version: 1,
    });
    const server = await world.server(zone.id);
    await call(`PATCH /v1/servers/${server.id}`, { body: { port: 2223 }, version: 1 });
    await call(`DELETE /v1/servers/${server.id}`, { version: 2 });
    const certificate = await world.localCertificate(zone.id);
    await call(`POST /v1/certificates/${certificate.id}/revoke`, { version: 1 });
    await call(`DELETE /v1/certificates/${certificate.id}`, { version: 2 });
    const token = (await call('POST /v1/tokens', { body: { label: 'x', scopes: ['*:*'], zones: '*' } })).body;
    const node = await joinedNode(world, zone.id);
    await call(`PATCH /v1/nodes/${node.id}`, { body: { state: 'removed' }, version: 1 });
    const { version } = (await call('GET /v1/login-settings')).body;
    await call('PATCH /v1/login-settings', { body: { nameCase: 'lower' }, version, token: token.secret });
    await call(`DELETE /v1/tokens/${token.id}`);
    await call(`DELETE /v1/accounts/${account.id}`, { version: 2 });
    expectProblem(await call(`DELETE /v1/accounts/${account.id}`, { version: 2 }), 404, 'not-found');
    expectProblem(
      await call('POST /v1/zones', { body: { name: zone.name, kind: 'edge' } }),
      409,
      'alias-in-use',
      '/name',
    );

    const rows = (await all()).slice(before);
    expect(rows.map(({ action, target }) => [action, target])).toEqual([
      ['zone.create', `zone:${zone.id}`],
      ['zone.change', `zone:${zone.id}`],
      ['account.create', `account:${account.id}`],
      ['account.change', `account:${account.id}`],
      ['server.create', `server:${server.id}`],
      ['server.change', `server:${server.id}`],
      ['server.delete', `server:${server.id}`],
      ['certificate.create', `certificate:${certificate.id}`],
      ['certificate.revoke', `certificate:${certificate.id}`],
      ['certificate.delete', `certificate:${certificate.id}`],
      ['token.create', `token:${token.id}`],
      ['join-token.create', expect.stringMatching(/^join-token:/)],
      ['node.join', `node:${node.id}`],
      ['node.change', `node:${node.id}`],
      ['login-settings.change', 'login-settings'],
      ['token.delete', `token:${token.id}`],
      ['account.delete', `account:${account.id}`],
    ]);
    expect(rows.find(({ action }) => action === 'login-settings.change').actor).toBe(`token:${token.id}`);
    expect(rows.find(({ action }) => action === 'node.join').actor).toMatch(/^join-token:/);
    expect(rows.find(({ action }) => action === 'account.change').detail).toEqual({
      fields: ['enabled', 'password'],
    });
  });

  test('rows are chained from the first one, and a row that was touched is found', async () => {
    const rows = await all();
    expect(rows[0]).toMatchObject({ sequence: 1, actor: 'init', action: 'init', previousHash: emptyHash });
    expect(firstBrokenRow(rows, { sequence: 0, hash: emptyHash })).toBeUndefined();
    const touched = rows.map((row) => (row.sequence === 3 ? { ...row, actor: 'token:another' } : row));
    expect(firstBrokenRow(touched, { sequence: 0, hash: emptyHash })).toBe(3);
    const missing = rows.filter(({ sequence }) => sequence !== 4);
    expect(firstBrokenRow(missing, { sequence: 0, hash: emptyHash })).toBe(5);
  });
}
