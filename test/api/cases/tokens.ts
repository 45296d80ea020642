import { readFileSync } from 'node:fs';
import { token as tokenShape } from '@sallyport/model';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { type Answer, expectProblem, type World } from '../world.ts';

/** All that is at rest: the database file and what its write-ahead log holds. */
export function atRest(databaseFile: string): string {
  const read = (file: string) => {
    try {
      return readFileSync(file, 'latin1');
    } catch {
      return '';
    }
  };
  return read(databaseFile) + read(`${databaseFile}-wal`);
}

export function tokenCases(world: World): void {
  const { call, unique, plane } = world;
  const mint = (body: object, token?: string) =>
    call('POST /v1/tokens', {
      body: { label: unique('token'), scopes: ['zones:read'], zones: '*', ...body },
      ...(token === undefined ? {} : { token }),
    });
  const ids = ({ body }: Answer): string[] => body.items.map(({ id }: { id: string }) => id);

  test('a token: create, use, list without its secret, delete', async () => {
    const made = await mint({});
    const { secret, ...shown } = made.body;
    const { changeSequence: _sequence, ...stored } = tokenShape
      .extend({ changeSequence: z.int() })
      .parse(shown);
    expect(secret).toMatch(/^sly_[A-Za-z0-9_-]{43}$/);
    const life = Date.parse(stored.expiresAt) - Date.parse(stored.createdAt);
    expect(life).toBeLessThanOrEqual(90 * 86_400_000);
    expect(life).toBeGreaterThan(89 * 86_400_000);
    const listed = await call('GET /v1/tokens');
    expect(listed.body.items).toContainEqual(stored);
    expect(JSON.stringify(listed.body)).not.toContain(secret);
    expect((await call('GET /v1/zones', { token: secret })).status).toBe(200);
    expect((await call(`DELETE /v1/tokens/${stored.id}`)).status).toBe(200);
    expectProblem(await call('GET /v1/zones', { token: secret }), 401, 'unauthenticated');
    expectProblem(await call(`DELETE /v1/tokens/${stored.id}`), 404, 'not-found');
  });

  test.each([
    ['no such noun', { scopes: ['planets:read'] }, '/scopes/0'],
    ['no such action', { scopes: ['zones:fly'] }, '/scopes/0'],
    ['no scope at all', { scopes: [] }, '/scopes'],
    ['a zone that is not there', { zones: ['nowhere'] }, '/zones/0'],
    ['a life of more than a year', { validDays: 366 }, '/validDays'],
    ['a label of two lines', { label: 'a\nb' }, '/label'],
  ])('%s is refused', async (_what, body, pointer) => {
    expectProblem(await mint(body), 422, 'invalid-request', pointer);
  });

  test('a token mints only a subset of itself', async () => {
    const zone = await world.zone();
    const other = await world.zone();
    const parent = await world.token(['tokens:*', 'servers:*', 'nodes:approve'], [zone]);
    const fits = await mint(
      { scopes: ['servers:read', 'servers:*', 'nodes:approve'], zones: [zone] },
      parent,
    );
    expect(fits.status).toBe(201);
    for (const scopes of [
      ['zones:read'],
      ['*:read'],
      ['*:*'],
      ['keys:export'],
      ['servers:read', 'audit:read'],
    ]) {
      expectProblem(await mint({ scopes, zones: [zone] }, parent), 403, 'token-scope-exceeded', '/scopes');
    }
    for (const zones of ['*', [other], [zone, other]]) {
      expectProblem(
        await mint({ scopes: ['servers:read'], zones }, parent),
        403,
        'token-scope-exceeded',
        '/zones',
      );
    }
  });

  test('a token outlives its parent in no minted one', async () => {
    const parent = await mint({ scopes: ['tokens:write', 'zones:read'], validDays: 1 });
    const child = await mint({ validDays: 365 }, parent.body.secret);
    expect(child.body.expiresAt).toBe(parent.body.expiresAt);
  });

  test('a wildcard covers nouns and actions, and never what is granted by name alone', async () => {
    const reader = await world.token(['*:read', 'tokens:write']);
    expect((await call('GET /v1/audit', { token: reader })).status).toBe(200);
    expectProblem(await call('POST /v1/zones', { token: reader, body: {} }), 403, 'forbidden');
    const all = await world.token(['*:*']);
    for (const scope of ['keys:export', 'nodes:approve', 'policy:publish', 'break-glass']) {
      expectProblem(await mint({ scopes: [scope] }, all), 403, 'token-scope-exceeded', '/scopes');
    }
  });

  test('a token of one zone sees and touches nothing of another', async () => {
    const zone = await world.zone();
    const other = await world.zone();
    const scopes = ['*:*', 'nodes:approve'];
    const token = await world.token(scopes, [zone]);
    const mine = { account: await world.account(zone), server: await world.server(zone) };
    const theirs = {
      account: await world.account(other),
      server: await world.server(other),
      certificate: await world.localCertificate(other),
      token: (await mint({ zones: [other] })).body,
      joinToken: (await call('POST /v1/join-tokens', { body: { zone: other } })).body,
    };
    const shared = await world.account(zone, { zones: [zone, other] });
    const list = async (noun: string) => ids(await call(`GET /v1/${noun}?limit=500`, { token }));
    expect(await list('zones')).toEqual([zone]);
    expect(await list('servers')).toEqual([mine.server.id]);
    expect((await list('accounts')).sort()).toEqual([mine.account.id, shared.id].sort());
    expect(await list('nodes')).toEqual([]);
    expect(await list('join-tokens')).toEqual([]);
    expect(await list('certificates')).not.toContain(theirs.certificate.id);
    expect(await list('tokens')).not.toContain(theirs.token.id);
    expect(await list('tokens')).toHaveLength(1);
    const { items } = (await call('GET /v1/certificates?kind=internal-ca', { token })).body;
    expect(items.length).toBeGreaterThan(0);

    const certificate = { source: 'generate', kind: 'local', alias: unique('x') };
    const login = { source: 'import', kind: 'login', alias: unique('x'), text: 'x' };
    const sans = [{ type: 'dns', value: 'a.example' }];
    const refused: [string, object?][] = [
      [`GET /v1/zones/${other}`],
      [`PATCH /v1/zones/${other}`, {}],
      [`GET /v1/zones/${other}/effective`],
      [`GET /v1/zones/${other}/propagation?sequence=1`],
      ['POST /v1/zones', { name: unique('zone'), kind: 'edge' }],
      [`GET /v1/servers/${theirs.server.id}`],
      [`PATCH /v1/servers/${theirs.server.id}`, {}],
      [`DELETE /v1/servers/${theirs.server.id}`],
      [`GET /v1/servers/${theirs.server.id}/known-hosts?host=a`],
      ['POST /v1/servers', { protocol: 'ssh', name: unique('s'), zone: other, port: 22 }],
      [`GET /v1/accounts/${theirs.account.id}`],
      [`PATCH /v1/accounts/${theirs.account.id}`, {}],
      [`PATCH /v1/accounts/${shared.id}`, {}],
      [`PATCH /v1/accounts/${mine.account.id}`, { zones: [zone, other] }],
      [`DELETE /v1/accounts/${theirs.account.id}`],
      [`DELETE /v1/accounts/${shared.id}`],
      ['POST /v1/accounts', { name: unique('a'), zones: [zone, other] }],
      [`GET /v1/certificates/${theirs.certificate.id}`],
      [`GET /v1/certificates/${theirs.certificate.id}/fingerprints`],
      [`PATCH /v1/certificates/${theirs.certificate.id}`, {}],
      [`POST /v1/certificates/${theirs.certificate.id}/revoke`],
      [`DELETE /v1/certificates/${theirs.certificate.id}`],
      [`DELETE /v1/certificates/${items[0].id}`],
      ['POST /v1/certificates', { ...certificate, sans, zones: [other] }],
      ['POST /v1/certificates', { ...login, account: theirs.account.id }],
      ['POST /v1/certificates', { source: 'import', kind: 'trusted', alias: unique('x'), text: 'x' }],
      ['PATCH /v1/login-settings', { nameCase: 'exact' }],
      ['POST /v1/join-tokens', { zone: other }],
      [`GET /v1/snapshots?zone=${other}`],
      [`GET /v1/events?zone=${other}`],
      ['GET /v1/events'],
      ['GET /v1/audit'],
    ];
    for (const [route, body] of refused) {
      const answer = await call(route, { token, version: 1, ...(body ? { body } : {}) });
      expect([route, answer.status, answer.body.code]).toEqual([route, 403, 'forbidden']);
    }
    expectProblem(
      await call(`DELETE /v1/tokens/${theirs.token.id}`, { token }),
      403,
      'token-scope-exceeded',
      '/zones',
    );
    expect((await call(`GET /v1/servers/${theirs.server.id}`)).body.version).toBe(1);
    expect((await call(`GET /v1/accounts/${shared.id}`)).body.version).toBe(1);

    const paged: string[] = [];
    let cursor = '';
    do {
      const page = await call(`GET /v1/accounts?limit=1${cursor && `&cursor=${cursor}`}`, { token });
      expect(page.body.items).toHaveLength(1);
      paged.push(...ids(page));
      cursor = page.body.nextCursor ?? '';
    } while (cursor);
    expect(paged.sort()).toEqual([mine.account.id, shared.id].sort());
  });

  test('at rest no token, password or private key can be read', async () => {
    const zone = await world.zone();
    const secret = await world.token(['zones:read']);
    const password = `secret ${unique('password')} of a partner`;
    const account = await world.account(zone, { password });
    const issued = await call('POST /v1/certificates', {
      body: {
        source: 'generate',
        kind: 'login',
        alias: unique('login'),
        account: account.id,
        keyType: 'ed25519',
        handOut: { format: 'pem' },
      },
    });
    await world.localCertificate(zone);
    const invited = await call('POST /v1/join-tokens', { body: { zone } });
    const stored = atRest(plane().databaseFile);
    expect(stored).toContain(account.id);
    expect(stored).toContain('$argon2id$v=19$m=19456,t=2,p=1$');
    const ticket = JSON.parse(
      Buffer.from(invited.body.joinToken.replace('slyjoin_', ''), 'base64url').toString(),
    ) as { secret: string };
    const privateKey = Buffer.from(
      Buffer.from(issued.body.handedOut.data, 'base64')
        .toString()
        .replace(/-----[^-]+-----|\s/g, ''),
      'base64',
    );
    for (const clear of [secret, secret.slice(4), password, ticket.secret, plane().apiToken, 'PRIVATE KEY']) {
      expect(stored.includes(clear)).toBe(false);
    }
    const key = privateKey.subarray(-32);
    for (const encoding of ['latin1', 'base64', 'base64url', 'hex'] as const) {
      expect(stored.includes(key.toString(encoding))).toBe(false);
    }
    // PKCS#8 of Ed25519 begins with these bytes (RFC 8410 section 7).
    const head = Buffer.from('302e020100300506032b6570', 'hex');
    for (const encoding of ['latin1', 'base64', 'hex'] as const) {
      expect(stored.includes(head.toString(encoding))).toBe(false);
    }
  });

  test('answers hold no secret', async () => {
    const zone = await world.zone();
    await world.account(zone, { password: 'correct horse' });
    await world.localCertificate(zone);
    for (const noun of ['accounts', 'certificates', 'tokens', 'join-tokens', 'nodes', 'zones', 'audit']) {
      const text = JSON.stringify((await call(`GET /v1/${noun}?limit=500`)).body);
      expect(text).not.toMatch(
        /argon2|PRIVATE KEY|"hash":"[0-9a-f]{64}","scopes|"secret"|sly_|slyjoin_|k1\./,
      );
    }
  });
}
