import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { certificate, certificateRequest } from '@sallyport/model';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { run, temporaryFolder } from '../../support/process.ts';
import { expectProblem, type Json, type World } from '../world.ts';

const changedRequest = certificateRequest.extend({ changeSequence: z.int() });
const finished = certificate.extend({ changeSequence: z.int(), warnings: z.array(z.string()) });

const must = async (args: readonly string[]): Promise<string> => {
  const done = await run('openssl', [...args]);
  expect(done).toMatchObject({ code: 0 });
  return done.stdout;
};

/** A CA of somebody else with an intermediate, made by OpenSSL; it answers requests. */
async function foreignCa() {
  const folder = temporaryFolder();
  const at = (name: string) => join(folder, name);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  await writeFile(at('ca.ext'), 'basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\n');
  await writeFile(at('leaf.ext'), 'basicConstraints=critical,CA:false\nextendedKeyUsage=serverAuth\n');
  await must([
    'req',
    '-x509',
    ...key,
    '-subj',
    '/CN=Foreign root',
    '-days',
    '9',
    '-keyout',
    at('root.key'),
    '-out',
    at('root.pem'),
  ]);
  await must([
    'req',
    '-new',
    ...key,
    '-subj',
    '/CN=Foreign issuing',
    '-keyout',
    at('issuing.key'),
    '-out',
    at('issuing.csr'),
  ]);
  const sign = (csr: string, by: string, out: string, ...more: string[]) =>
    must([
      'x509',
      '-req',
      '-in',
      csr,
      '-CA',
      at(`${by}.pem`),
      '-CAkey',
      at(`${by}.key`),
      '-days',
      '5',
      '-out',
      out,
      ...more,
    ]);
  await sign(at('issuing.csr'), 'root', at('issuing.pem'), '-extfile', at('ca.ext'));
  const pem = (name: string) => readFile(at(name), 'utf8');
  return {
    at,
    root: await pem('root.pem'),
    issuing: await pem('issuing.pem'),
    async answer(request: string, extensions: 'copy' | 'none' | 'ca' = 'copy'): Promise<string> {
      await writeFile(at('request.pem'), request);
      const more = {
        copy: ['-copy_extensions', 'copyall'],
        none: ['-extfile', at('leaf.ext')],
        ca: ['-extfile', at('ca.ext')],
      };
      await sign(at('request.pem'), 'issuing', at('leaf.pem'), ...more[extensions]);
      return pem('leaf.pem');
    },
  };
}

export function certificateRequestCases(world: World): void {
  const { call, unique } = world;
  const path = '/v1/certificate-requests';
  const sans = [
    { type: 'dns', value: 'sftp.example.org' },
    { type: 'ip', value: '192.0.2.1' },
  ];
  const subject = { commonName: 'sftp.example.org', organization: 'Example', country: 'CH' };
  const create = async (more: object = {}, options: object = {}) =>
    call(`POST ${path}`, {
      body: {
        kind: 'local',
        alias: unique('csr'),
        zones: [await world.sharedZone()],
        subject,
        sans,
        ...more,
      },
      ...options,
    });
  const created = async (more: object = {}): Promise<Json> => {
    const made = await create(more);
    expect(made).toMatchObject({ status: 201 });
    return changedRequest.parse(made.body);
  };
  const finish = (request: Json, body: object) => call(`POST ${path}/${request.id}/finish`, { body });

  test.each(['ed25519', 'ecdsa-p384', 'rsa-2048'])(
    'OpenSSL reads a request of %s and verifies it',
    async (keyType) => {
      const { changeSequence: _sequence, ...made } = await created({ keyType });
      const file = join(temporaryFolder(), 'request.pem');
      const pem = await call(`GET ${path}/${made.id}/request`);
      await writeFile(file, pem.body);
      expect(Buffer.from(pem.body).toString()).toContain(made.pem.trim());
      const shown = await must(['req', '-in', file, '-noout', '-text', '-verify', '-nameopt', 'RFC2253']);
      expect(shown).toContain('Subject: CN=sftp.example.org,O=Example,C=CH');
      expect(shown).toContain('DNS:sftp.example.org, IP Address:192.0.2.1');
      expect((await call(`GET ${path}/${made.id}`)).body).toEqual(made);
      expect((await call(`GET ${path}?limit=500`)).body.items).toContainEqual(made);
      expectProblem(await call(`DELETE ${path}/${made.id}`), 428, 'precondition-required');
      expect((await call(`DELETE ${path}/${made.id}`, { version: 1 })).status).toBe(200);
      expectProblem(await call(`GET ${path}/${made.id}`), 404, 'not-found');
    },
  );

  test('the answer of an unknown CA is taken, in any order, with a warning; the chain is in order', async () => {
    const ca = await foreignCa();
    const request = await created();
    const leaf = await ca.answer(request.pem);
    const done = await finish(request, { pem: ca.root + leaf + ca.issuing });
    expect(done.status).toBe(200);
    const { warnings, ...row } = finished.parse(done.body);
    expect(row).toMatchObject({ alias: request.alias, status: 'untrusted', hasPrivateKey: true, sans });
    expect(row.pem).toBe(leaf + ca.issuing + ca.root);
    expect(warnings.join()).toMatch(/no CA that is trusted here/);
    expectProblem(await call(`GET ${path}/${request.id}`), 404, 'not-found');
    const server = await world.server(await world.sharedZone(), { certificates: [row.id] });
    expect(server.certificates).toEqual([row.id]);
    const trusted = { source: 'import', kind: 'trusted', alias: unique('root'), text: ca.root };
    expect((await call('POST /v1/certificates', { body: trusted })).status).toBe(201);
    expect((await call(`GET /v1/certificates/${row.id}`)).body.status).toBe('valid');
    // PKCS#7, as some CAs answer; and names that the CA has left out.
    const second = await created();
    await writeFile(ca.at('answer.pem'), await ca.answer(second.pem, 'none'));
    const p7 = ['crl2pkcs7', '-nocrl', '-certfile', ca.at('issuing.pem'), '-certfile', ca.at('answer.pem')];
    await must([...p7, '-outform', 'DER', '-out', ca.at('answer.p7b')]);
    const data = (await readFile(ca.at('answer.p7b'))).toString('base64');
    const again = await finish(second, { data });
    expect(again).toMatchObject({ status: 200, body: { status: 'valid', alias: second.alias } });
    expect(again.body.warnings).toEqual(['the CA has left out dns:sftp.example.org, ip:192.0.2.1']);
  });

  test('another key, a CA and what is no certificate leave the request as it is', async () => {
    const ca = await foreignCa();
    const [request, other] = [await created(), await created()];
    const foreign = await ca.answer(other.pem);
    expectProblem(await finish(request, { pem: foreign }), 422, 'key-mismatch', '/pem');
    expectProblem(
      await finish(request, { pem: await ca.answer(request.pem, 'ca') }),
      422,
      'certificate-purpose',
      '/pem',
    );
    expectProblem(await finish(request, { pem: 'no PEM' }), 422, 'key-material-unrecognised', '/pem');
    expectProblem(await finish(request, { data: 'AAAA' }), 422, 'key-material-unrecognised', '/data');
    expectProblem(
      await finish(request, { pem: await readFile(ca.at('issuing.key'), 'utf8') }),
      422,
      'certificate-purpose',
      '/pem',
    );
    expectProblem(await finish(request, { pem: 'x', data: 'AAAA' }), 422, 'invalid-request', '');
    expect((await call(`GET ${path}/${request.id}`)).status).toBe(200);
    expect((await finish(request, { pem: await ca.answer(request.pem) })).status).toBe(200);
    expectProblem(await finish(request, { pem: 'x' }), 404, 'not-found');
  });

  test('a request takes the place of a certificate behind its alias, with a new key or the same', async () => {
    const ca = await foreignCa();
    const first = await created();
    const before = (await finish(first, { pem: await ca.answer(first.pem) })).body;
    for (const keyType of ['same', 'ecdsa-p256'] as const) {
      const current = (await call(`GET /v1/certificates/${before.id}`)).body;
      const next = await created({ alias: undefined, zones: undefined, replaces: before.id, keyType });
      expect(next).toMatchObject({ alias: before.alias, replaces: before.id, zones: before.zones });
      expect(next.key.sshFingerprint === current.key.sshFingerprint).toBe(keyType === 'same');
      const gone = await call(`DELETE /v1/certificates/${before.id}`, { version: current.version });
      expectProblem(gone, 409, 'in-use');
      const done = await finish(next, { pem: await ca.answer(next.pem) });
      expect(done).toMatchObject({
        status: 200,
        body: { id: before.id, alias: before.alias, version: current.version + 1 },
      });
      expect(done.body.sha256).not.toBe(current.sha256);
      expect(done.body.key).toEqual(next.key);
    }
  });

  test('a private certificate is its account’s, and goes with it', async () => {
    const ca = await foreignCa();
    const account = await world.account(await world.sharedZone());
    const own = { kind: 'private', zones: undefined, account: account.id, sans: [] };
    const [request, pending] = [await created(own), await created(own)];
    const done = await finish(request, { pem: await ca.answer(request.pem, 'none') });
    expect(done).toMatchObject({
      status: 200,
      body: { kind: 'private', account: account.id, hasPrivateKey: true },
    });
    const version = (await call(`GET /v1/accounts/${account.id}`)).body.version;
    expect((await call(`DELETE /v1/accounts/${account.id}`, { version })).status).toBe(200);
    expectProblem(await call(`GET ${path}/${pending.id}`), 404, 'not-found');
  });

  test('requests name the field that is wrong, and stay within the caller’s zones', async () => {
    const made = await created();
    const refused = async (more: object, code: string, pointer: string, status = 422) =>
      expectProblem(await create(more), status, code, pointer);
    await refused({ alias: made.alias }, 'alias-in-use', '/alias', 409);
    await refused({ alias: undefined }, 'invalid-request', '/alias');
    await refused({ zones: undefined }, 'invalid-request', '/zones');
    await refused({ zones: ['nowhere'] }, 'invalid-request', '/zones');
    await refused({ kind: 'login' }, 'invalid-request', '/kind');
    await refused({ kind: 'private', zones: undefined }, 'invalid-request', '/account');
    await refused({ subject: { ...subject, country: 'Schweiz' } }, 'invalid-request', '/subject/country');
    await refused({ keyType: 'same' }, 'invalid-request', '/keyType');
    await refused({ keyType: 'dsa' }, 'invalid-request', '/keyType');
    const local = await world.localCertificate(await world.sharedZone());
    await refused({ replaces: local.id }, 'invalid-request', '/alias');
    const bare = { alias: undefined, zones: undefined };
    await refused({ ...bare, replaces: local.id, kind: 'private' }, 'invalid-request', '/kind');
    expectProblem(await create({ ...bare, replaces: 'nothing' }), 404, 'not-found');
    const token = await world.token(['certificates:*'], [await world.zone()]);
    expectProblem(await create({}, { token }), 403, 'forbidden');
    expectProblem(await create({ ...bare, replaces: local.id }, { token }), 403, 'forbidden');
    for (const step of ['', '/request']) {
      expectProblem(await call(`GET ${path}/${made.id}${step}`, { token }), 403, 'forbidden');
    }
    expectProblem(
      await call(`POST ${path}/${made.id}/finish`, { body: { pem: 'x' }, token }),
      403,
      'forbidden',
    );
    expectProblem(await call(`DELETE ${path}/${made.id}`, { version: 1, token }), 403, 'forbidden');
    expect((await call(`GET ${path}`, { token })).body).toEqual({ items: [] });
  });
}
