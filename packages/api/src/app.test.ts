import { parseJoinToken } from '@sallyport/enrolment';
import { unwrap } from '@sallyport/faults';
import { generateKeyPair, sshBlobOf, sshPublicKeyLine } from '@sallyport/pki';
import { createStore, findInstallation, keyEncryption, schemaNumber } from '@sallyport/store';
import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createApi } from './app.ts';
import { type InProcess, inProcess, randomBytes } from './fixture/in-process.ts';
import { joinedNode } from './fixture/signed-node.ts';
import { initialise } from './init.ts';

let plane: InProcess & { close(): void };
beforeEach(async () => {
  plane = await inProcess();
});
afterEach(() => plane.close());

const day = 86_400_000;
const newZone = async (name = 'inside'): Promise<string> =>
  (await plane.call('POST /v1/zones', { body: { name, kind: 'internal' } })).body.id;

test('a database of another schema: 503 that says what to do, until it fits', async () => {
  await plane.database.writing.run(sql`UPDATE installation SET "schema" = 99`);
  const fresh = createApi({ ...plane.deps, store: createStore(plane.database, plane.deps.now) });
  const refused = await fresh.request('http://sallyport.test/v1/health');
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await refused.json()).toMatchObject({
    code: 'schema-mismatch',
    title: expect.stringContaining('sallyport migrate'),
    detail: expect.stringContaining('schema 99'),
  });
  await plane.database.writing.run(sql`UPDATE installation SET "schema" = ${schemaNumber}`);
  expect((await fresh.request('http://sallyport.test/v1/health')).status).toBe(200);
});

test('init is refused where it was done, and changes nothing', async () => {
  const before = await findInstallation(plane.deps.store.queries);
  const again = initialise({ ...plane.deps, randomBytes }, { version: 2, trustEpoch: 1, envelope: '{}' });
  await expect(again).rejects.toMatchObject({ fault: { code: 'in-use' } });
  expect(await findInstallation(plane.deps.store.queries)).toEqual(before);
  expect((await plane.call('GET /v1/tokens')).body.items).toHaveLength(1);
});

test('a token ends with its time', async () => {
  const body = { label: 'short', scopes: ['zones:read'], zones: '*', validDays: 1 };
  const { secret } = (await plane.call('POST /v1/tokens', { body })).body;
  expect((await plane.call('GET /v1/zones', { token: secret })).status).toBe(200);
  plane.clock.now += day - 1;
  expect((await plane.call('GET /v1/zones', { token: secret })).status).toBe(200);
  plane.clock.now += 1;
  expect(await plane.call('GET /v1/zones', { token: secret })).toMatchObject({
    status: 401,
    body: { code: 'unauthenticated' },
  });
});

test('the status of a certificate follows the clock, and that of an SSH key its own end', async () => {
  const zone = await newZone();
  const account = (await plane.call('POST /v1/accounts', { body: { name: 'partner', zones: [zone] } })).body
    .id;
  const make = async (body: object) => (await plane.call('POST /v1/certificates', { body })).body.id;
  const sans = [{ type: 'dns', value: 'a.example' }];
  const local = await make({
    source: 'generate',
    kind: 'local',
    alias: 'a',
    zones: [zone],
    keyType: 'ed25519',
    sans,
    validDays: 10,
  });
  const key = await make({
    source: 'import',
    kind: 'login',
    alias: 'b',
    account,
    text: sshPublicKeyLine(unwrap(sshBlobOf((await generateKeyPair('ed25519')).spki))),
    validUntil: new Date(plane.clock.now + 5 * day).toISOString(),
  });
  const statuses = async () =>
    Promise.all([local, key].map(async (id) => (await plane.call(`GET /v1/certificates/${id}`)).body.status));
  expect(await statuses()).toEqual(['valid', 'valid']);
  plane.clock.now -= day;
  expect(await statuses()).toEqual(['not-yet-valid', 'valid']);
  plane.clock.now += 6 * day;
  expect(await statuses()).toEqual(['valid', 'expired']);
  plane.clock.now += 6 * day;
  expect(await statuses()).toEqual(['expired', 'expired']);
});

test('what nobody foresaw is logged with its reason and answered without', async () => {
  const zone = await newZone();
  const broken = createApi({
    ...plane.deps,
    hashPassword: () => Promise.reject(new Error('the reason, with a secret')),
  });
  const answer = await broken.request('http://sallyport.test/v1/accounts', {
    method: 'POST',
    headers: { authorization: `Bearer ${plane.apiToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'partner', zones: [zone], password: 'correct horse' }),
  });
  expect(answer.status).toBe(500);
  expect(await answer.text()).not.toContain('secret');
  expect(plane.logged).toEqual([
    {
      message: 'unexpected error in the API',
      error: expect.objectContaining({ message: 'the reason, with a secret' }),
    },
  ]);
});

test('with another key-encryption key no secret comes out, and the log says which key is missing', async () => {
  const zone = await newZone();
  const keys = await keyEncryption(randomBytes(32), randomBytes);
  const other = createApi({ ...plane.deps, keys });
  const body = { source: 'generate', kind: 'local', alias: 'a', zones: [zone], keyType: 'ed25519' };
  const answer = await other.request('http://sallyport.test/v1/certificates', {
    method: 'POST',
    headers: { authorization: `Bearer ${plane.apiToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, sans: [{ type: 'dns', value: 'a.example' }] }),
  });
  expect(answer.status).toBe(500);
  expect(await answer.json()).not.toHaveProperty('detail');
  expect(plane.logged).toMatchObject([
    { message: expect.stringMatching(/wrapped under key [0-9a-f]{8}, this is/) },
  ]);
});

test('behind a proxy a node’s signature is over the URL that it asked for', async () => {
  const zone = await newZone();
  const node = await joinedNode(plane, zone);
  expect((await node.send('GET', '/v1/node/roots/1')).status).toBe(200);
  const publicUrl = 'https://sallyport.example.org/control';
  const proxied = createApi({ ...plane.deps, publicUrl });
  const inside = 'http://10.0.0.1:8080';
  const invited = await proxied.request(`${inside}/v1/join-tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${plane.apiToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ zone }),
  });
  const { joinToken } = (await invited.json()) as { joinToken: string };
  expect(unwrap(parseJoinToken(joinToken)).url).toBe(publicUrl);

  const path = '/v1/node/roots/1';
  const asking = async (url: string) =>
    (await proxied.request(`${inside}${path}`, { headers: await node.sign('GET', url) })).status;
  expect(await asking(`${publicUrl}${path}`)).toBe(200);
  expect(await asking(`${inside}${path}`)).toBe(401);
  expect(await asking(`https://sallyport.example.org${path}`)).toBe(401);
});
