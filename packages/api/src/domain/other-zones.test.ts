import { toBase64 } from '@sallyport/bytes';
import { unwrap } from '@sallyport/faults';
import {
  createCa,
  createCertificateRequest,
  createCrl,
  generateKeyPair,
  issueCertificate,
  sshBlobOf,
  sshPublicKeyLine,
  toPem,
} from '@sallyport/pki';
import { findCrlFacts } from '@sallyport/store';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type InProcess, inProcess } from '../fixture/in-process.ts';
import { readZoneContent } from './zone-content.ts';

// Whoever speaks for one zone must not reach into another one through what all zones share: the internal CA, revocations.

let plane: InProcess & { close(): void };
let zones: { readonly own: string; readonly other: string };
let accounts: { readonly own: string; readonly other: string };
/** Reaches the zone `own` alone. */
let token: string;
beforeEach(async () => {
  plane = await inProcess();
  const make = async (route: string, body: object) => {
    const made = await plane.call(route, { body });
    expect(made.status).toBe(201);
    return made.body;
  };
  const zone = async (name: string) => (await make('POST /v1/zones', { name, kind: 'internal' })).id;
  zones = { own: await zone('own'), other: await zone('other') };
  const account = async (name: string, zone: string) =>
    (await make('POST /v1/accounts', { name, zones: [zone] })).id;
  accounts = { own: await account('ann', zones.own), other: await account('bob', zones.other) };
  const scopes = ['certificates:*', 'accounts:*'];
  token = (await make('POST /v1/tokens', { label: 'own alone', scopes, zones: [zones.own] })).secret;
});
afterEach(() => plane.close());

const handOut = { format: 'pem' };
const subject = { commonName: 'bob' };
const generate = (account: string, alias: string, more = {}) => ({
  body: { source: 'generate', kind: 'login', account, alias, handOut, ...more },
});
const named = { subject, match: 'issuer+subject' };

test('nobody has the internal CA sign a name that logs in an account of another zone', async () => {
  expect((await plane.call('POST /v1/certificates', generate(accounts.other, 'bob', named))).status).toBe(
    201,
  );
  const foreign = await plane.call('POST /v1/certificates', {
    ...generate(accounts.own, 'ann', { subject }),
    token,
  });
  expect(foreign).toMatchObject({
    status: 409,
    body: { code: 'already-registered', fields: [{ pointer: '/subject' }] },
  });

  const own = (await plane.call('POST /v1/certificates', { ...generate(accounts.own, 'ann'), token })).body;
  const body = { source: 'new-key', subject, handOut };
  const replaced = await plane.call(`POST /v1/certificates/${own.id}/replace`, { body, version: 1, token });
  expect(replaced).toMatchObject({ status: 409, body: { code: 'already-registered' } });
});

test('no name logs in that another holder has a certificate of already', async () => {
  const stored = { kind: 'private', subject };
  const first = await plane.call('POST /v1/certificates', {
    ...generate(accounts.own, 'first', stored),
    token,
  });
  expect(first.status).toBe(201);
  const second = await plane.call('POST /v1/certificates', generate(accounts.other, 'bob', named));
  expect(second).toMatchObject({ status: 409, body: { code: 'already-registered' } });
  const other = (await plane.call('POST /v1/certificates', generate(accounts.other, 'bob', { subject })))
    .body;
  const patch = { body: { match: 'issuer+subject' }, version: 1 };
  const patched = await plane.call(`PATCH /v1/certificates/${other.id}`, patch);
  expect(patched).toMatchObject({ status: 409, body: { code: 'already-registered' } });
});

test('a server is signed for by those alone who speak for all zones', async () => {
  const { items } = (await plane.call('GET /v1/certificate-authorities')).body;
  const request = await createCertificateRequest(await generateKeyPair('ecdsa-p256'), {
    subject: { commonName: 'gate' },
    sans: [{ type: 'dns', value: 'gate.example' }],
  });
  const csr = toPem('CERTIFICATE REQUEST', request);
  const body = { csr, alias: 'gate', purpose: 'tls-server', zones: [zones.own], sans: 'requested' };
  const sign = `POST /v1/certificate-authorities/${items[0].id}/sign`;
  expect((await plane.call(sign, { body, token })).status).toBe(403);
  expect((await plane.call(sign, { body })).status).toBe(201);
});

test('the list of the internal CA names what it signed, not what names it', async () => {
  const { queries } = plane.deps.store;
  const { items } = (await plane.call('GET /v1/certificate-authorities')).body;
  const sans = [{ type: 'dns', value: 'web.example' }];
  const local = { source: 'generate', kind: 'local', alias: 'web', zones: [zones.other], sans };
  expect((await plane.call('POST /v1/certificates', { body: local })).status).toBe(201);

  const validity = { notBefore: new Date(plane.clock.now - 1e6), notAfter: new Date(plane.clock.now + 9e9) };
  const pretender = await createCa({ commonName: 'Sallyport internal CA', keyType: 'ed25519', ...validity });
  const { spki } = await generateKeyPair('ed25519');
  const der = await issueCertificate({
    ...{ issuer: pretender, spki, subject: { commonName: 'x' }, sans: [], purpose: 'tls-client' },
    ...validity,
  });
  const text = toPem('CERTIFICATE', der);
  const partner = { source: 'import', kind: 'partner', account: accounts.own, alias: 'x', text };
  const forged = (await plane.call('POST /v1/certificates', { body: partner, token })).body;
  expect(forged.issuer).toBe(items[0].subject);
  const revoked = { version: 1, token };
  expect((await plane.call(`POST /v1/certificates/${forged.id}/revoke`, revoked)).status).toBe(200);
  const again = { targets: [{ by: 'file', text }] };
  expect((await plane.call('POST /v1/certificates/revoke', { body: again })).status).toBe(200);
  const genuine = (await plane.call('POST /v1/certificates', { ...generate(accounts.own, 'ann'), token }))
    .body;
  const targets = { targets: [{ by: 'id', id: genuine.id }] };
  expect((await plane.call('POST /v1/certificates/revoke', { body: targets, token })).status).toBe(200);
  expect(items[0].subject).toBe(genuine.issuer);

  const response = await plane.call(`GET /v1/crl/${items[0].id}.crl`);
  expect(response.status).toBe(200);
  expect((await findCrlFacts(queries, items[0].id))?.entries).toBe(1);
});

test('what one zone revokes is revoked in that zone', async () => {
  const { spki } = await generateKeyPair('ed25519');
  const text = sshPublicKeyLine(unwrap(sshBlobOf(spki)), 'of somebody');
  const bring = (account: string, alias: string, by?: string) =>
    plane.call('POST /v1/certificates', {
      body: { source: 'import', kind: 'login', account, alias, text },
      ...(by === undefined ? {} : { token: by }),
    });
  const revokedIn = async (zone: string) => {
    const { queries, keys } = { ...plane.deps, queries: plane.deps.store.queries };
    const { revoked } = await readZoneContent(queries, keys, zone, plane.clock.now);
    return revoked.map(({ spkiSha256 }) => spkiSha256);
  };
  const mine = (await bring(accounts.own, 'one', token)).body;
  const gone = await plane.call(`POST /v1/certificates/${mine.id}/revoke`, { version: 1, token });
  expect(gone.body.status).toBe('revoked');
  const { spkiSha256 } = mine.key;
  expect(await revokedIn(zones.own)).toContain(spkiSha256);
  expect(await revokedIn(zones.other)).not.toContain(spkiSha256);
  expect((await bring(accounts.own, 'two', token)).body.code).toBe('key-revoked');
  const theirs = await bring(accounts.other, 'theirs');
  expect(theirs.status).toBe(201);

  // Who speaks for all zones revokes it in all, by the same row.
  const body = { targets: [{ by: 'key', fingerprint: spkiSha256 }] };
  const everywhere = await plane.call('POST /v1/certificates/revoke', { body });
  expect(everywhere.body.revocations.map((one: { zones?: string[] }) => one.zones)).toEqual([
    undefined,
    undefined,
  ]);
  expect(await revokedIn(zones.other)).toContain(spkiSha256);
});

test('what stands with the key of an SSH CA holds for all that it signs', async () => {
  const { spki } = await generateKeyPair('ed25519');
  const line = sshPublicKeyLine(unwrap(sshBlobOf(spki)), 'team');
  const text = `cert-authority,from="10.0.0.0/8",expiry-time="20260801" ${line}`;
  const body = { source: 'import', kind: 'trusted', alias: 'team', text };
  const { id } = (await plane.call('POST /v1/certificates', { body })).body;
  const { queries } = plane.deps.store;
  const content = await readZoneContent(queries, plane.deps.keys, zones.own, plane.clock.now);
  expect(content.sshCas.find((ca) => ca.id === id)).toMatchObject({
    sources: ['10.0.0.0/8'],
    trustedUntil: '2026-08-01T00:00:00.000Z',
  });
});

test('a CA that takes the place of another one has none of its lists', async () => {
  const validity = { notBefore: new Date(plane.clock.now - 1e6), notAfter: new Date(plane.clock.now + 9e9) };
  const make = () => createCa({ commonName: 'Partner', keyType: 'ed25519', ...validity });
  const [before, after] = [await make(), await make()];
  const file = (ca: { certificate: Uint8Array }) => ({
    source: 'import',
    text: toPem('CERTIFICATE', ca.certificate),
  });
  const body = { ...file(before), kind: 'trusted', alias: 'partner' };
  const { id } = (await plane.call('POST /v1/certificates', { body })).body;
  const thisUpdate = new Date(plane.clock.now - 1e6);
  const nextUpdate = new Date(plane.clock.now + 1e9);
  const list = await createCrl(before, { number: 7n, thisUpdate, nextUpdate, entries: [] });
  const data = toBase64(list);
  expect((await plane.call(`POST /v1/certificates/${id}/crl`, { body: { data } })).status).toBe(200);
  const replaced = await plane.call(`POST /v1/certificates/${id}/replace`, { body: file(after), version: 1 });
  expect(replaced.status).toBe(200);
  const state = (await plane.call(`GET /v1/certificates/${id}/crl`)).body;
  expect(state.list).toBeUndefined();
});
