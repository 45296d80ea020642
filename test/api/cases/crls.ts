import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Bytes } from '@sallyport/bytes';
import { unwrap } from '@sallyport/faults';
import { crlState } from '@sallyport/model';
import {
  createCa,
  createCrl,
  generateKeyPair,
  type Issuer,
  issueCertificate,
  parseCertificate,
  toPem,
} from '@sallyport/pki';
import { expect, test } from 'vitest';
import { run, temporaryFolder } from '../../support/process.ts';
import { joinedNode } from '../test-node.ts';
import { type Answer, answerOf, expectProblem, type Json, type World } from '../world.ts';

const day = 86_400_000;
const validity = () => ({ notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + 9 * day) });

type ListWish = {
  readonly number?: number;
  readonly serials?: readonly string[];
  readonly from?: number;
  readonly to?: number;
};

/** A list of a CA; times in milliseconds from now. */
const listBy = (ca: Issuer, { number = 1, serials = [], from = -60_000, to = day }: ListWish = {}) =>
  createCrl(ca, {
    number: BigInt(number),
    thisUpdate: new Date(Date.now() + from),
    nextUpdate: new Date(Date.now() + to),
    entries: serials.map((serial) => ({ serial, revokedAt: new Date(Date.now() + from) })),
  });

export function crlCases(world: World): void {
  const { call, unique } = world;

  /** A CA of somebody else that is trusted here. */
  async function trustedCa(settings: object = { revocation: 'crl', onStaleCrl: 'reject' }) {
    const issuer = await createCa({ commonName: unique('Partner CA'), keyType: 'ecdsa-p256', ...validity() });
    const pem = toPem('CERTIFICATE', issuer.certificate);
    const body = { source: 'import', kind: 'trusted', alias: unique('partner-ca'), text: pem };
    const made = await call('POST /v1/certificates', { body });
    expect(made.status).toBe(201);
    const changed = await call(`PATCH /v1/certificates/${made.body.id}`, { body: settings, version: 1 });
    expect(changed.status).toBe(200);
    return { issuer, id: made.body.id as string, alias: made.body.alias as string, pem };
  }

  const put = async (id: string, file: BodyInit, type = 'application/pkix-crl'): Promise<Answer> =>
    answerOf(
      await fetch(`${world.plane().url}/v1/certificates/${id}/crl`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${world.plane().apiToken}`, 'content-type': type },
        body: file,
      }),
    );
  const state = async (id: string): Promise<Json> => (await call(`GET /v1/certificates/${id}/crl`)).body;

  test('a list is uploaded as a file or in JSON, in DER or PEM, shown and deleted', async () => {
    const { id, issuer } = await trustedCa();
    expect(crlState.parse(await state(id))).toEqual({
      ca: id,
      revocation: 'crl',
      onStaleCrl: 'reject',
      version: 2,
    });
    const first = await put(id, await listBy(issuer, { number: 7, serials: ['0a', 'ff01'] }));
    expect(first).toMatchObject({
      status: 200,
      body: { list: { source: 'uploaded', number: '7', entries: 2, stale: false } },
    });
    const pem = toPem('X509 CRL', await listBy(issuer, { number: 8 }));
    expect((await put(id, pem, 'application/x-pem-file')).body.list).toMatchObject({ number: '8' });
    const data = Buffer.from(toPem('X509 CRL', await listBy(issuer, { number: 9 }))).toString('base64');
    const third = await call(`POST /v1/certificates/${id}/crl`, { body: { data } });
    expect(third.body).toMatchObject({ list: { number: '9' }, changeSequence: expect.any(Number) });
    expect(third.headers.get('etag')).toBe('"2"');
    // The same once more changes nothing.
    expect((await call(`POST /v1/certificates/${id}/crl`, { body: { data } })).status).toBe(200);
    expect((await state(id)).list).toMatchObject({ number: '9', entries: 0 });
    expectProblem(
      await call(`DELETE /v1/certificates/${id}/crl`, { version: 1 }),
      412,
      'precondition-failed',
    );
    expect((await call(`DELETE /v1/certificates/${id}/crl`, { version: 2 })).status).toBe(200);
    expectProblem(await call(`DELETE /v1/certificates/${id}/crl`, { version: 2 }), 404, 'not-found');
    expect(await state(id)).not.toHaveProperty('list');
    const own = await world.audited(`certificate:${id}`);
    expect(own.map(({ action }) => action).filter((action) => action.startsWith('crl.'))).toEqual([
      'crl.uploaded',
      'crl.uploaded',
      'crl.uploaded',
      'crl.delete',
    ]);
  });

  test('a bad, foreign, stale or lower-numbered list never replaces a good one', async () => {
    const { id, issuer } = await trustedCa();
    const other = await trustedCa();
    const good = await listBy(issuer, { number: 5, serials: ['0a'] });
    expect((await put(id, good)).status).toBe(200);
    const twin = await createCa({ commonName: 'x', keyType: 'ecdsa-p256', ...validity() });
    const refusals: [BodyInit, string][] = [
      [good.with(good.length - 1, (good.at(-1) as number) ^ 1), 'crl-malformed'],
      [good.slice(0, -1), 'crl-malformed'],
      [await listBy(other.issuer, { number: 6 }), 'crl-malformed'],
      [await listBy({ ...issuer, ...twin }, { number: 6 }), 'crl-malformed'],
      [await listBy(issuer, { number: 4 }), 'crl-outdated'],
      [await listBy(issuer, { number: 5 }), 'crl-outdated'],
      [await listBy(issuer, { number: 6, from: -2 * day, to: day }), 'crl-outdated'],
      [await listBy(issuer, { number: 6, from: -50_000, to: -10_000 }), 'crl-outdated'],
      [await listBy(issuer, { number: 6, from: 3_600_000 }), 'crl-malformed'],
      ['-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n', 'crl-malformed'],
      [toPem('CERTIFICATE', issuer.certificate), 'crl-malformed'],
      ['', 'crl-malformed'],
    ];
    for (const [file, code] of refusals) expectProblem(await put(id, file), 422, code);
    expectProblem(
      await call(`POST /v1/certificates/${id}/crl`, { body: { data: 'AAAA' } }),
      422,
      'crl-malformed',
      '/data',
    );
    expectProblem(await put(id, good, 'text/plain'), 415, 'unsupported-media-type');
    expectProblem(await put(id, new Uint8Array(8 * 1_048_576 + 1)), 413, 'body-too-large');
    expect((await state(id)).list).toMatchObject({ number: '5', entries: 1 });
    const [internal] = (await call('GET /v1/certificates?kind=internal-ca')).body.items;
    expectProblem(await put(internal.id, good), 422, 'certificate-purpose');
    const local = await world.localCertificate(await world.sharedZone());
    expectProblem(await put(local.id, good), 422, 'certificate-purpose');
    const token = await world.token(['certificates:*'], [await world.sharedZone()]);
    const data = Buffer.from(good).toString('base64');
    expectProblem(await call(`POST /v1/certificates/${id}/crl`, { body: { data }, token }), 403, 'forbidden');
    expectProblem(await call(`DELETE /v1/certificates/${id}/crl`, { token, version: 2 }), 403, 'forbidden');
  });

  test('lists of OpenSSL are taken, deltas and partitioned ones refused with the reason', async () => {
    const folder = temporaryFolder();
    const at = (name: string) => join(folder, name);
    const openssl = async (...args: string[]) => {
      const { code, stderr } = await run('openssl', args, { cwd: folder });
      expect(code, stderr).toBe(0);
    };
    const config = (extension: string) =>
      `[ca]\ndefault_ca=d\n[d]\ndatabase=db\ncrlnumber=number\ndefault_md=sha256\ndefault_crl_days=9\ncrl_extensions=e\n[e]\n${extension}\n[p]\nonlyuser=TRUE\n`;
    const req = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    await openssl(...req, '-subj', `/CN=${unique('openssl')}`, '-keyout', 'key', '-out', 'ca');
    writeFileSync(at('number'), '0A\n');
    const lines = ['1A2B', '1A2C', '7F00112233445566778899AABBCCDDEE'].map(
      (serial) => `R\t400101000000Z\t260101000000Z,superseded\t${serial}\tunknown\t/CN=x\n`,
    );
    const listWith = async (extension: string) => {
      writeFileSync(at('db'), lines.join(''));
      writeFileSync(at('config'), config(extension));
      const files = ['-keyfile', 'key', '-cert', 'ca', '-out', 'crl'];
      await openssl('ca', '-config', 'config', '-gencrl', ...files);
      return readFileSync(at('crl'));
    };
    const body = {
      source: 'import',
      kind: 'trusted',
      alias: unique('openssl-ca'),
      text: readFileSync(at('ca'), 'utf8'),
    };
    const { id } = (await call('POST /v1/certificates', { body })).body;
    for (const [extension, reason] of [
      ['2.5.29.27=critical,DER:020101', 'delta'],
      ['issuingDistributionPoint=critical,@p', 'partitioned'],
    ] as const) {
      const refused = await put(id, await listWith(extension));
      expectProblem(refused, 422, 'crl-unsupported');
      expect(refused.body.detail).toContain(reason);
    }
    const file = await listWith('authorityKeyIdentifier=keyid');
    const taken = await put(id, file, 'application/x-pem-file');
    expect(taken.body.list).toMatchObject({ entries: 3 });
  });

  test('the lists travel to the nodes, and what is not checked does not', async () => {
    const zone = await world.zone();
    const node = await joinedNode(world, zone);
    const { id, issuer } = await trustedCa();
    const unchecked = await trustedCa({ onStaleCrl: 'reject' });
    await put(unchecked.id, await listBy(unchecked.issuer, { serials: ['01'] }));
    const { changeSequence } = (await put(id, await listBy(issuer, { number: 3, serials: ['0a', '0b'] })))
      .body;
    await expect
      .poll(
        async () => (await call(`GET /v1/zones/${zone}/propagation?sequence=${changeSequence}`)).body.version,
        {
          timeout: 10_000,
        },
      )
      .toEqual(expect.any(Number));
    const { reader } = await node.snapshot();
    const rules = reader.revocation.rules.filter(({ ca }) => ca === id || ca === unchecked.id);
    expect(rules).toMatchObject([{ ca: id, onStaleCrl: 'reject', list: { number: '3', entries: 2 } }]);
    const serials = reader.revokedSerials.get(id);
    expect([serials?.has('0a'), serials?.has('0b'), serials?.has('0c')]).toEqual([true, true, false]);
  });

  test('a list is fetched from its URL through redirects; a failure keeps the list and is told once', async () => {
    const { id, issuer } = await trustedCa();
    expectProblem(await call(`POST /v1/certificates/${id}/crl/fetch`), 422, 'invalid-request');
    let answer: { status: number; body?: Uint8Array; headers?: Record<string, string> } = { status: 404 };
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      const { status, body, headers } =
        request.url === '/ca.crl'
          ? { status: 302, body: undefined, headers: { location: '/moved.crl' } }
          : answer;
      response.writeHead(status, headers).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const crlUrl = `${origin}/ca.crl`;
      expect((await call(`PATCH /v1/certificates/${id}`, { version: 2, body: { crlUrl } })).status).toBe(200);
      const fetchNow = () => call(`POST /v1/certificates/${id}/crl/fetch`);
      answer = { status: 200, body: await listBy(issuer, { number: 1, serials: ['0a'] }) };
      const first = await fetchNow();
      expect(first).toMatchObject({
        status: 200,
        body: {
          crlUrl,
          list: { source: 'fetched', number: '1', entries: 1 },
          fetch: { triedAt: expect.any(String) },
        },
      });
      expect(first.body.fetch).not.toHaveProperty('failure');
      expect(Date.parse(first.body.fetch.nextAt) - Date.now()).toBeGreaterThan(4 * 60_000);
      expect(asked.slice(-2)).toEqual(['/ca.crl', '/moved.crl']);

      const failures: [typeof answer, string][] = [
        [{ status: 404 }, 'crl-unreachable: HTTP 404'],
        [{ status: 200, body: await listBy(issuer, { number: 0 }) }, 'crl-outdated: '],
        [{ status: 200, body: Buffer.from('<html>') }, 'crl-malformed: '],
        [{ status: 302, headers: { location: '/ca.crl' } }, 'crl-unreachable: more than 3 redirects'],
        [{ status: 302, headers: { location: 'file:///etc/passwd' } }, 'crl-unreachable: the URL is not one'],
        [{ status: 200, body: new Uint8Array(8 * 1_048_576 + 1) }, 'crl-unreachable: more than'],
      ];
      for (const [wrong, reason] of failures) {
        answer = wrong;
        for (const _ of [1, 2]) {
          const failed = await fetchNow();
          expect(failed.body.fetch.failure).toContain(reason);
          expect(failed.body.list).toMatchObject({ number: '1' });
        }
      }
      answer = { status: 200, body: await listBy(issuer, { number: 2 }) };
      const again = await fetchNow();
      expect(again.body).toMatchObject({ list: { number: '2' } });
      expect(again.body.fetch).not.toHaveProperty('failure');
      const rows = await world.audited(`certificate:${id}`);
      const told = rows.filter(({ action }) => action === 'crl.fetch-failed');
      expect(told).toHaveLength(failures.length);
    } finally {
      server.close();
      server.closeAllConnections();
    }
    const bad = ['ftp://ca.example/x', 'http://user:secret@ca.example/x', 'no URL', 'http://ca.example/#x'];
    for (const crlUrl of bad) {
      const refused = await call(`PATCH /v1/certificates/${id}`, { version: 3, body: { crlUrl } });
      expect(refused.status).toBe(422);
    }
  });

  test('the list of an internal CA is there for anyone, and OpenSSL verifies it and by it', async () => {
    const [internal] = (await call('GET /v1/certificates?kind=internal-ca')).body.items;
    const account = await world.account(await world.sharedZone());
    const issue = async () => {
      const body = {
        source: 'generate',
        kind: 'login',
        alias: unique('listed'),
        account: account.id,
        handOut: { format: 'pem' },
      };
      const made = await call('POST /v1/certificates', { body });
      expect(made.status).toBe(201);
      return made.body;
    };
    const [gone, stays] = [await issue(), await issue()];
    const download = async (name: string) => {
      const response = await fetch(`${world.plane().url}/v1/crl/${name}`);
      return { response, der: new Uint8Array(await response.arrayBuffer()) };
    };
    const before = await download('internal-ca.crl');
    expect(before.response.status).toBe(200);
    expect(before.response.headers.get('content-type')).toBe('application/pkix-crl');
    expect(before.response.headers.get('cache-control')).toMatch(/^public, max-age=\d+$/);
    // Nothing has changed: the same list.
    expect((await download(`${internal.id}.crl`)).der).toEqual(before.der);

    const body = { targets: [{ by: 'id', id: gone.id }], reason: 'keyCompromise' };
    expect((await call('POST /v1/certificates/revoke', { body })).status).toBe(200);
    const { der } = await download('internal-ca.crl');
    const folder = temporaryFolder();
    const file = (name: string, content: string) => {
      writeFileSync(join(folder, name), content);
      return name;
    };
    const ca = file('ca.pem', internal.pem);
    const crl = file('crl.pem', toPem('X509 CRL', der as Bytes));
    const openssl = (...args: string[]) => run('openssl', args, { cwd: folder });
    const shown = await openssl('crl', '-in', crl, '-CAfile', ca, '-noout', '-text');
    expect(shown.stderr).toContain('verify OK');
    expect(shown.stdout).toContain(`Serial Number: ${gone.serial.toUpperCase()}`);
    expect(shown.stdout).toContain('Key Compromise');
    const numberOf = async (bytes: Bytes) => {
      const text = (await openssl('crl', '-in', file('n.pem', toPem('X509 CRL', bytes)), '-noout', '-text'))
        .stdout;
      return Number(/CRL Number:\s*\n\s*(\d+)/.exec(text)?.[1]);
    };
    expect(await numberOf(der)).toBeGreaterThan(await numberOf(before.der as Bytes));
    const verify = (pem: string) =>
      openssl('verify', '-crl_check', '-CAfile', ca, '-CRLfile', crl, file('leaf.pem', pem));
    expect(await verify(stays.pem)).toMatchObject({ code: 0 });
    const refused = await verify(gone.pem);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr + refused.stdout).toContain('certificate revoked');
    expect(await state(internal.id)).toMatchObject({ list: { source: 'issued', stale: false } });

    expect((await fetch(`${world.plane().url}/v1/crl/nobody.crl`)).status).toBe(404);
    expect((await fetch(`${world.plane().url}/v1/crl/internal-ca`)).status).toBe(422);
  });

  test('a chain is judged by its keys, its dates, its purposes and its lists, path by path', async () => {
    const { id, issuer, alias } = await trustedCa();
    const twin = await createCa({
      subject: { commonName: unparsed(issuer) },
      keyType: 'ecdsa-p256',
      ...validity(),
    });
    const text = toPem('CERTIFICATE', twin.certificate);
    const twinAlias = unique('twin');
    const body = { source: 'import', kind: 'trusted', alias: twinAlias, text };
    expect((await call('POST /v1/certificates', { body })).status).toBe(201);
    const { spki } = await generateKeyPair('ed25519');
    const leaf = await issueCertificate({
      issuer,
      spki,
      subject: { commonName: 'leaf' },
      sans: [],
      purpose: 'tls-client',
      ...validity(),
    });
    const pem = toPem('CERTIFICATE', leaf);
    const validate = async (more: object = {}) =>
      (await call('POST /v1/certificates/validate', { body: { pem, ...more } })).body;
    const stale = await validate();
    expect(stale).toMatchObject({ verdict: 'refused', complete: true, purpose: 'tls-client' });
    const pathOf = (answer: Json, name: string): Json =>
      answer.paths.find(({ certificates }: Json) =>
        certificates.some((certificate: Json) => certificate.alias === name),
      );
    expect(pathOf(stale, alias)).toMatchObject({ verdict: 'refused', reasons: [{ reason: 'crl-stale' }] });
    expect(pathOf(stale, twinAlias)).toMatchObject({
      verdict: 'refused',
      reasons: [{ reason: 'untrusted' }],
    });

    await put(id, await listBy(issuer, { number: 1 }));
    const good = await validate();
    expect(good.verdict).toBe('accepted');
    expect(pathOf(good, alias)).toMatchObject({
      verdict: 'accepted',
      certificates: [
        { role: 'leaf', subject: 'CN=leaf' },
        { role: 'anchor', id },
      ],
      reasons: [],
    });
    const late = await validate({ at: new Date(Date.now() + 20 * day).toISOString() });
    expect(pathOf(late, alias).reasons.map(({ reason }: Json) => reason)).toEqual(['expired', 'expired']);
    const server = await validate({ purpose: 'tls-server' });
    expect(pathOf(server, alias).reasons.map(({ reason }: Json) => reason)).toEqual(['purpose']);
    const { serial } = unwrap(parseCertificate(leaf));
    await put(id, await listBy(issuer, { number: 2, serials: [serial] }));
    expect(pathOf(await validate(), alias).reasons).toEqual([
      { reason: 'revoked', detail: expect.stringContaining('list 2') },
    ]);
    const data = Buffer.from(leaf).toString('base64');
    expect((await call('POST /v1/certificates/validate', { body: { data } })).body.sha256).toBe(good.sha256);
    expect((await call('POST /v1/certificates/validate', { body: { id } })).body).toMatchObject({
      verdict: 'refused',
    });
    const ask = (wrong: object) => call('POST /v1/certificates/validate', { body: wrong });
    expectProblem(await ask({ pem: 'no PEM' }), 422, 'key-material-unrecognised', '/pem');
    expectProblem(await ask({ data: 'AAAA' }), 422, 'key-material-unrecognised', '/data');
    expectProblem(await ask({ pem, id }), 422, 'invalid-request', '');
    expectProblem(await ask({ id: 'nobody' }), 404, 'not-found');
  });
}

/** The common name of a CA. */
const unparsed = ({ certificate }: Issuer): string =>
  unwrap(parseCertificate(certificate)).subject.replace(/^CN=/, '');
