import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listAudit, ocspRowsOf } from '@sallyport/store';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { run, temporaryFolder } from '../../../../test/support/process.ts';
import { type InProcess, inProcess } from '../fixture/in-process.ts';
import { fetchDueOcsp } from './ocsp-fetch.ts';
import { readZoneContent } from './zone-content.ts';

const hour = 3_600_000;
const folder = temporaryFolder();
const file = (name: string): string => join(folder, name);
const openssl = async (...args: string[]): Promise<void> => {
  const done = await run('openssl', args, { cwd: folder });
  if (done.code !== 0) throw new Error(done.stderr);
};

beforeAll(async () => {
  writeFileSync(
    file('openssl.cnf'),
    `[req]
distinguished_name=dn
[dn]
[ca]
basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
[leaf]
authorityInfoAccess=OCSP;URI:http://ocsp.example/
authorityKeyIdentifier=keyid
subjectAltName=DNS:files.example
extendedKeyUsage=serverAuth
`,
  );
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-config', 'openssl.cnf'];
  const ca = ['-x509', '-subj', '/CN=ca', '-extensions', 'ca', '-days', '9', '-keyout', 'ca.key'];
  await openssl('req', ...ca, ...key, '-out', 'ca.pem');
  await openssl(
    'req',
    '-new',
    '-subj',
    '/CN=files.example',
    ...key,
    '-keyout',
    'leaf.key',
    '-out',
    'leaf.csr',
  );
  const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-set_serial', '0x42', '-days', '8'];
  const extensions = ['-extfile', 'openssl.cnf', '-extensions', 'leaf'];
  await openssl('x509', '-req', '-in', 'leaf.csr', ...by, ...extensions, '-out', 'leaf.pem');
}, 60_000);

let plane: InProcess & { close(): void };
let zone: string;
let id: string;
let asked: string[];
/** What the responder knows; `down`: it does not answer. */
let says: 'V' | 'R' | 'down';

/** `openssl ocsp` answers a question that came by GET. */
async function respond(url: URL): Promise<Response> {
  asked.push(url.href);
  if (says === 'down') return new Response('no', { status: 503 });
  writeFileSync(file('request.der'), Buffer.from(decodeURIComponent(url.pathname.slice(1)), 'base64'));
  const revoked = says === 'R' ? '260101000000Z,keyCompromise' : '';
  writeFileSync(file('index.txt'), `${says}\t300101000000Z\t${revoked}\t42\tunknown\t/CN=files.example\n`);
  await openssl(
    ...['ocsp', '-index', 'index.txt', '-CA', 'ca.pem', '-rsigner', 'ca.pem', '-rkey', 'ca.key'],
    ...['-reqin', 'request.der', '-respout', 'response.der', '-nmin', '240'],
  );
  return new Response(readFileSync(file('response.der')));
}

beforeEach(async () => {
  asked = [];
  says = 'V';
  plane = await inProcess({ lists: { innerAddresses: 'refused', request: respond } }, Date.now());
  zone = await made('POST /v1/zones', { name: 'edge', kind: 'internal' });
  const text = ['leaf.pem', 'ca.pem', 'leaf.key'].map((name) => readFileSync(file(name), 'utf8')).join('');
  const body = { source: 'import', kind: 'local', alias: 'files', zones: [zone], text };
  id = await made('POST /v1/certificates', body);
});
afterEach(() => plane.close());

const serve = () =>
  made('POST /v1/servers', { protocol: 'http', name: 'https', zone, port: 8443, certificates: [id] });
/** What the API has made of a body; it must. */
async function made(route: string, body: object): Promise<string> {
  const answer = await plane.call(route, { body });
  expect(answer).toMatchObject({ status: 201 });
  return answer.body.id;
}
const row = async () => (await ocspRowsOf(plane.deps.store.queries, [id]))[0];
const served = async () => {
  const { queries } = plane.deps.store;
  const { locals } = await readZoneContent(queries, plane.deps.keys, zone, plane.clock.now);
  return locals[0]?.ocsp;
};
const told = async (): Promise<string[]> =>
  (await listAudit(plane.deps.store.queries, 0, 500))
    .map(({ action }) => action)
    .filter((action) => action.startsWith('ocsp.'));

test('a good answer goes to the servers that present the certificate, and is renewed at half of its life', async () => {
  await fetchDueOcsp(plane.deps);
  expect(asked).toEqual([]);
  await serve();
  await fetchDueOcsp(plane.deps);
  const first = await served();
  expect(first?.response.length).toBeGreaterThan(100);
  await fetchDueOcsp(plane.deps);
  expect(asked).toHaveLength(1);
  plane.clock.now += 2.1 * hour;
  says = 'down';
  await fetchDueOcsp(plane.deps);
  expect(asked).toHaveLength(2);
  expect(await served()).toEqual(first);
  expect(await row()).toMatchObject({ failure: 'HTTP 503' });
  plane.clock.now += 2 * hour;
  expect(await served()).toBeUndefined();
  await fetchDueOcsp(plane.deps);
  expect(await row()).toMatchObject({ response: null, nextUpdate: null });
  expect(await told()).toEqual(['ocsp.fetched', 'ocsp.failed', 'ocsp.dropped']);
});

test('that the certificate is revoked is told, and nothing is stapled from then on', async () => {
  await serve();
  await fetchDueOcsp(plane.deps);
  expect(await served()).toBeDefined();
  plane.clock.now += 2.1 * hour;
  says = 'R';
  await fetchDueOcsp(plane.deps);
  expect(await served()).toBeUndefined();
  expect(await row()).toMatchObject({ failure: 'the responder says revoked' });
  expect(await told()).toEqual(['ocsp.fetched', 'ocsp.failed']);
});

test('of several processes one asks', async () => {
  await serve();
  await Promise.all(Array.from({ length: 4 }, () => fetchDueOcsp(plane.deps)));
  expect(asked).toHaveLength(1);
  expect(asked[0]).toMatch(/^http:\/\/ocsp\.example\/ME[\w%]+$/);
});

test('a certificate without a responder is looked at once', async () => {
  const body = {
    source: 'generate',
    kind: 'local',
    alias: 'own',
    zones: [zone],
    keyType: 'ecdsa-p256',
    sans: [{ type: 'dns', value: 'own.example' }],
  };
  id = await made('POST /v1/certificates', body);
  await serve();
  await fetchDueOcsp(plane.deps);
  await fetchDueOcsp(plane.deps);
  expect(asked).toEqual([]);
  expect(await row()).toMatchObject({ nextAt: null, failure: null });
});
