import { readFile } from 'node:fs/promises';
import { fromBase32, toBase64 } from '@sallyport/bytes';
import { unwrap } from '@sallyport/faults';
import { expect, test } from 'vitest';
import { joinedNode } from '../test-node.ts';
import { expectProblem, type World } from '../world.ts';

export function secondFactorCases(world: World): void {
  const { call } = world;
  const pathOf = (account: { id: string }) => `/v1/accounts/${account.id}/second-factor`;

  test('is made with a secret that is told once, and reaches the nodes of the account’s zones', async () => {
    const zone = await world.zone();
    const node = await joinedNode(world, zone);
    const account = await world.account(zone, { name: 'Frau Müller' });
    expect(account.secondFactor).toBe('none');
    expect((await call(`GET ${pathOf(account)}`)).body).toEqual({ state: 'none' });

    const made = await call(`POST ${pathOf(account)}`, { body: {} });
    expect(made).toMatchObject({
      status: 201,
      body: {
        algorithm: 'SHA1',
        digits: 6,
        periodSeconds: 30,
        secret: expect.stringMatching(/^[A-Z2-7]{32}$/),
      },
    });
    const uri = new URL(made.body.uri);
    expect(made.body.uri).toMatch(/^otpauth:\/\/totp\/Sallyport:Frau%20M%C3%BCller\?/);
    expect(Object.fromEntries(uri.searchParams)).toEqual({
      secret: made.body.secret,
      issuer: 'Sallyport',
      algorithm: 'SHA1',
      digits: '6',
      period: '30',
    });
    const shown = await call(`GET ${pathOf(account)}`);
    expect(shown.body).toEqual({
      state: 'set',
      algorithm: 'SHA1',
      digits: 6,
      periodSeconds: 30,
      createdAt: expect.any(String),
    });
    const after = (await call(`GET /v1/accounts/${account.id}`)).body;
    expect(after).toMatchObject({ secondFactor: 'set', version: account.version + 1 });

    const record = unwrap(await (await node.snapshot()).reader.account('Frau Müller'));
    const bytes = fromBase32(made.body.secret);
    expect(record?.secondFactor).toEqual({
      secret: toBase64(bytes ?? new Uint8Array()),
      algorithm: 'SHA1',
      digits: 6,
      periodSeconds: 30,
    });

    expectProblem(await call(`DELETE ${pathOf(account)}`, { version: 1 }), 412, 'precondition-failed');
    const removed = await call(`DELETE ${pathOf(account)}`, { version: after.version });
    expect(removed).toMatchObject({ status: 200, body: { changeSequence: expect.any(Number) } });
    expect((await call(`GET ${pathOf(account)}`)).body).toEqual({ state: 'none' });
    expectProblem(await call(`DELETE ${pathOf(account)}`, { version: after.version + 1 }), 404, 'not-found');
    expect((await world.audited(`account:${account.id}`)).map(({ action }) => action)).toEqual([
      'account.create',
      'account.second-factor.set',
      'account.second-factor.remove',
    ]);
  });

  test('takes a secret that an app has already, and a new one in place of an old', async () => {
    const account = await world.account(await world.sharedZone());
    const body = { secret: 'jbsw y3dp ehpk 3pxp jbswy3dpehpk3pxp', algorithm: 'SHA256', digits: 8 };
    const imported = await call(`POST ${pathOf(account)}`, { body });
    expect(imported.body).toMatchObject({
      secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
      algorithm: 'SHA256',
      digits: 8,
    });
    const again = await call(`POST ${pathOf(account)}`, { body: {} });
    expect(again.status).toBe(201);
    expect(again.body.secret).not.toBe(imported.body.secret);

    for (const [bad, pointer] of [
      [{ secret: 'MFRGG' }, '/secret'],
      [{ secret: '0'.repeat(32) }, '/secret'],
      // No whole number of bytes ends so.
      [{ secret: `${'A'.repeat(26)}B` }, '/secret'],
      [{ digits: 7 }, '/digits'],
      [{ algorithm: 'MD5' }, '/algorithm'],
      [{ periodSeconds: 1 }, '/periodSeconds'],
    ] as const) {
      expectProblem(await call(`POST ${pathOf(account)}`, { body: bad }), 422, 'invalid-request', pointer);
    }
  });

  test('the secret is at rest only under the key of the platform', async () => {
    const account = await world.account(await world.sharedZone());
    const secret = 'NZXXIIDBOQQHEZLTOQQGS3RAORUGKIDDNRSWC4Q';
    expect((await call(`POST ${pathOf(account)}`, { body: { secret } })).status).toBe(201);
    const { databaseFile } = world.plane();
    for (const file of [databaseFile, `${databaseFile}-wal`]) {
      const stored = await readFile(file).catch(() => Buffer.alloc(0));
      for (const form of [
        secret,
        'not at rest in the clear',
        toBase64(Buffer.from('not at rest in the clear')),
      ])
        expect(stored.includes(form)).toBe(false);
    }
  });

  test('who may give and take it', async () => {
    const zone = await world.zone();
    const account = await world.account(zone);
    const elsewhere = await world.token(['accounts:*'], [await world.sharedZone()]);
    const reader = await world.token(['accounts:read'], [zone]);
    for (const token of [elsewhere, reader]) {
      expectProblem(await call(`POST ${pathOf(account)}`, { body: {}, token }), 403, 'forbidden');
      expectProblem(await call(`DELETE ${pathOf(account)}`, { token, version: 1 }), 403, 'forbidden');
    }
    expectProblem(await call(`GET ${pathOf(account)}`, { token: elsewhere }), 403, 'forbidden');
    expect((await call(`GET ${pathOf(account)}`, { token: reader })).body).toEqual({ state: 'none' });
    expectProblem(await call('POST /v1/accounts/acc_none/second-factor', { body: {} }), 404, 'not-found');
  });
}
