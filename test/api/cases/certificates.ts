import { generateKeyPairSync } from 'node:crypto';
import type { Bytes } from '@sallyport/bytes';
import { unwrap } from '@sallyport/faults';
import { certificate } from '@sallyport/model';
import {
  createCa,
  generateKeyPair,
  issueCertificate,
  sshBlobOf,
  sshPublicKeyLine,
  toPem,
} from '@sallyport/pki';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { run, temporaryFolder } from '../../support/process.ts';
import { expectProblem, type Json, type World } from '../world.ts';

const day = 86_400_000;
const validity = () => ({ notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + day) });
const changedCertificate = certificate.extend({ changeSequence: z.int(), warnings: z.array(z.string()) });

/** A CA of somebody else, and leaves that it signs. */
async function foreignCa() {
  const ca = await createCa({
    commonName: `Partner CA ${Math.random()}`,
    keyType: 'ecdsa-p256',
    ...validity(),
  });
  return {
    pem: toPem('CERTIFICATE', ca.certificate),
    async leaf(purpose: 'tls-client' | 'tls-server' = 'tls-client') {
      const pair = await generateKeyPair('ed25519');
      const der = await issueCertificate({
        issuer: ca,
        spki: pair.spki,
        subject: { commonName: 'partner' },
        sans: purpose === 'tls-server' ? [{ type: 'dns', value: 'sftp.example.org' }] : [],
        purpose,
        ...validity(),
      });
      return {
        pem: toPem('CERTIFICATE', der),
        privateKey: toPem('PRIVATE KEY', pair.privateKey),
        spki: pair.spki,
      };
    },
  };
}

const lineOf = (spki: Bytes) => sshPublicKeyLine(unwrap(sshBlobOf(spki))).trim();

const sshLine = async (options = '') => `${options}${lineOf((await generateKeyPair('ed25519')).spki)}`;

export function certificateCases(world: World): void {
  const { call, unique } = world;
  const create = (body: object) =>
    call('POST /v1/certificates', { body: { alias: unique('certificate'), ...body } });
  const generate = (kind: string, body: object) => create({ source: 'generate', kind, ...body });
  const bring = (kind: string, text: string, body: object = {}) =>
    create({ source: 'import', kind, text, ...body });
  const pem = { format: 'pem' };

  test.each(['ed25519', 'ecdsa-p256'] as const)(
    'a local certificate is generated, shown, listed and deleted: %s',
    async (keyType) => {
      const zone = await world.sharedZone();
      const made = await world.localCertificate(zone, keyType);
      const { changeSequence: _sequence, warnings: _warnings, ...stored } = changedCertificate.parse(made);
      expect(stored).toMatchObject({
        kind: 'local',
        form: 'x509',
        zones: [zone],
        status: 'valid',
        usedBy: [],
        hasPrivateKey: true,
        sans: [{ type: 'ip', value: '127.0.0.1' }],
        key: { type: keyType, sshFingerprint: expect.stringMatching(/^SHA256:[A-Za-z0-9+/]{43}$/) },
      });
      const path = `/v1/certificates/${made.id}`;
      const shown = await call(`GET ${path}`);
      expect(shown.headers.get('etag')).toBe('"1"');
      expect(shown.body).toEqual(stored);
      expect((await call(`GET /v1/certificates?kind=local&alias=${made.alias}`)).body).toEqual({
        items: [stored],
      });
      expect((await call(`GET /v1/certificates?kind=login&alias=${made.alias}`)).body).toEqual({ items: [] });
      expectProblem(await call(`DELETE ${path}`), 428, 'precondition-required');
      expectProblem(await call(`DELETE ${path}`, { version: 7 }), 412, 'precondition-failed');
      expect((await call(`DELETE ${path}`, { version: 1 })).status).toBe(200);
      expectProblem(await call(`GET ${path}`), 404, 'not-found');
    },
  );

  test('a certificate in use is not deleted, and the answer says what uses it', async () => {
    const zone = await world.sharedZone();
    const made = await world.localCertificate(zone);
    const server = await world.server(zone, { certificates: [made.id] });
    const answer = await call(`DELETE /v1/certificates/${made.id}`, { version: 1 });
    expectProblem(answer, 409, 'in-use');
    expect(answer.body.usedBy).toEqual([`server:${server.name}`]);
    expect((await call(`GET /v1/certificates/${made.id}`)).body.usedBy).toEqual([`server:${server.name}`]);
  });

  test('an internal CA is not deleted or revoked like any certificate', async () => {
    const [ca] = (await call('GET /v1/certificates?kind=internal-ca')).body.items;
    for (const route of [`DELETE /v1/certificates/${ca.id}`, `POST /v1/certificates/${ca.id}/revoke`]) {
      const answer = await call(route, { version: ca.version });
      expectProblem(answer, 422, 'certificate-purpose');
      expect(answer.body.detail).toContain(`/v1/certificate-authorities/${ca.id}`);
    }
    const body = { targets: [{ by: 'id', id: ca.id }] };
    expectProblem(await call('POST /v1/certificates/revoke', { body }), 422, 'certificate-purpose');
  });

  test('a server’s own chain and key are imported', async () => {
    const zone = await world.sharedZone();
    const ca = await foreignCa();
    const leaf = await ca.leaf('tls-server');
    const made = await bring('local', leaf.pem + ca.pem + leaf.privateKey, { zones: [zone] });
    expect(made).toMatchObject({
      status: 201,
      body: { kind: 'local', hasPrivateKey: true, status: 'untrusted' },
    });
    expect(made.body.pem).toBe(leaf.pem + ca.pem);
    expect((await bring('trusted', ca.pem)).body).toMatchObject({
      kind: 'trusted',
      status: 'valid',
    });
    expect((await call(`GET /v1/certificates/${made.body.id}`)).body.status).toBe('valid');
  });

  test('bad PEM, and a certificate that does not match its key, name the field', async () => {
    const zones = [await world.sharedZone()];
    const leaf = await (await foreignCa()).leaf('tls-server');
    const other = await (await foreignCa()).leaf('tls-server');
    const refuse = async (text: string, code: string) =>
      expectProblem(await bring('local', text, { zones }), 422, code, '/text');
    await refuse('no PEM', 'key-material-unrecognised');
    await refuse(leaf.pem.replace('MII', 'MIJ') + leaf.privateKey, 'certificate-malformed');
    await refuse(leaf.pem.slice(0, 200), 'key-malformed');
    await refuse(leaf.pem, 'certificate-purpose');
    await refuse(leaf.pem + other.privateKey, 'key-mismatch');
    const text = leaf.pem + leaf.privateKey;
    expectProblem(await bring('local', text, { zones: ['nowhere'] }), 422, 'invalid-request', '/zones');
    expectProblem(await bring('local', text, { zones, data: 'AAAA' }), 422, 'invalid-request', '/data');
    expectProblem(await create({ source: 'import', kind: 'local', zones }), 422, 'invalid-request', '/data');
    expect((await bring('local', text, { zones })).status).toBe(201);
  });

  test('an SSH key is put into its wrapper, which lives as long as its own end says', async () => {
    const account = await world.account(await world.sharedZone());
    const validUntil = new Date(Date.now() + day).toISOString();
    const line = `${await sshLine()} partner@example.org`;
    const made = await bring('login', line, { account: account.id, validUntil });
    expect(made.status).toBe(201);
    expect(changedCertificate.parse(made.body)).toMatchObject({
      kind: 'login',
      form: 'ssh-key',
      account: account.id,
      match: 'public-key',
      status: 'valid',
      validUntil,
      comment: 'partner@example.org',
      hasPrivateKey: false,
      usedBy: [`account:${account.id}`],
      notAfter: '9999-12-31T23:59:59.000Z',
    });
    const line2 = await sshLine('restrict,expiry-time="20200101" ');
    const expired = await bring('login', line2, { account: account.id });
    expect(expired.body).toMatchObject({ status: 'expired', validUntil: '2020-01-01T00:00:00.000Z' });
    const again = await bring('login', line, { account: account.id });
    expectProblem(again, 409, 'already-registered', '/text');
  });

  test('key lines that would mean more or less than they say are refused, the option by its name', async () => {
    const account = await world.account(await world.sharedZone());
    const add = (line: string) => bring('login', line, { account: account.id });
    for (const option of ['command="ls" ', 'permitopen="a:1" ', 'tunnel="0" ']) {
      const answer = await add(await sshLine(option));
      expectProblem(answer, 422, 'key-option-unsupported', '/text');
      expect(answer.body.detail).toContain(option.split('=')[0]);
    }
    const dss = Buffer.concat(
      ['ssh-dss', 'a', 'b', 'c', 'd'].map((part) =>
        Buffer.from(`\0\0\0${String.fromCharCode(part.length)}${part}`, 'latin1'),
      ),
    );
    expectProblem(await add(`ssh-dss ${dss.toString('base64')}`), 422, 'key-unsupported', '/text');
    expectProblem(await add(rsaLine(1024)), 422, 'key-unsupported', '/text');
    expectProblem(await add('ssh-ed25519 AAAA'), 422, 'key-malformed', '/text');
    expectProblem(await add('-----BEGIN OPENSSH PRIVATE KEY-----'), 422, 'key-malformed', '/text');
    expect((await call(`GET /v1/accounts/${account.id}`)).body.loginCertificates).toEqual([]);
    expect((await add(rsaLine(2048))).body).toMatchObject({ key: { type: 'rsa', bits: 2048 } });
  });

  test.each([
    ['RSA of 1024 bits', ['-newkey', 'rsa:1024']],
    ['DSA', ['-newkey', 'dsa:dsa.pem']],
  ])('a certificate with %s is refused', async (_what, newKey) => {
    const cwd = temporaryFolder();
    if (newKey[1] === 'dsa:dsa.pem') await run('openssl', ['dsaparam', '-out', 'dsa.pem', '1024'], { cwd });
    const request = ['req', '-x509', '-nodes', '-keyout', 'key.pem', '-subj', '/CN=weak', ...newKey];
    const made = await run('openssl', request, { cwd });
    expect(made.stdout, made.stderr).toContain('BEGIN CERTIFICATE');
    const account = await world.account(await world.sharedZone());
    const answer = await bring('login', made.stdout, { account: account.id, anchor: 'pinned' });
    expectProblem(answer, 422, 'key-unsupported', '/text');
  });

  test('an X.509 login certificate is made, and its key handed out this once', async () => {
    const account = await world.account(await world.sharedZone());
    const made = await generate('login', { account: account.id, handOut: pem });
    const { handedOut, ...shown } = made.body;
    expect(Buffer.from(handedOut.data, 'base64').toString()).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect(changedCertificate.parse(shown)).toMatchObject({
      kind: 'login',
      hasPrivateKey: false,
      status: 'valid',
      key: { type: 'ecdsa-p256' },
    });
    expect(JSON.stringify((await call(`GET /v1/certificates/${shown.id}`)).body)).not.toContain('PRIVATE');
    expectProblem(await generate('login', { account: account.id }), 422, 'invalid-request', '/handOut');
  });

  test('a partner’s own certificate is trusted through a CA or pinned', async () => {
    const account = await world.account(await world.sharedZone());
    const ca = await foreignCa();
    const { pem: text } = await ca.leaf();
    const add = (text: string, body: object = {}) => bring('login', text, { account: account.id, ...body });
    expectProblem(await add(ca.pem), 422, 'certificate-purpose', '/text');
    const pinnedByName = { anchor: 'pinned', match: 'issuer+subject' };
    expectProblem(await add(text, pinnedByName), 422, 'certificate-purpose', '/match');
    const made = (await add(text)).body;
    expect(made).toMatchObject({ anchor: 'path', match: 'certificate', status: 'untrusted' });
    expectProblem(await add(text), 409, 'already-registered', '/text');
    expect((await add((await ca.leaf()).pem, { anchor: 'pinned' })).body.status).toBe('valid');
    expectProblem(await bring('login', text, { account: 'nobody' }), 422, 'invalid-request', '/account');
  });

  test('a CA is imported once, alone, and as a CA', async () => {
    const ca = await foreignCa();
    expectProblem(await bring('trusted', (await ca.leaf()).pem), 422, 'certificate-purpose', '/text');
    const two = ca.pem + (await foreignCa()).pem;
    expectProblem(await bring('trusted', two), 422, 'certificate-purpose', '/text');
    const made = await bring('trusted', ca.pem);
    expect(made.status).toBe(201);
    const again = await bring('trusted', ca.pem);
    expectProblem(again, 409, 'already-registered', '/text');
    expect(again.body.detail).toContain(made.body.alias);
  });

  test('an alias is unique within its kind, and that of what an account stores on the account', async () => {
    const zone = await world.sharedZone();
    const { alias } = await world.localCertificate(zone);
    const account = await world.account(zone);
    const login = { alias, account: account.id, handOut: pem };
    expect((await generate('login', login)).status).toBe(201);
    expectProblem(await generate('login', login), 409, 'alias-in-use', '/alias');
    const other = await world.account(zone);
    for (const kind of ['partner', 'private']) {
      expect((await generate(kind, login)).status).toBe(201);
      expectProblem(await generate(kind, login), 409, 'alias-in-use', '/alias');
      expect((await generate(kind, { ...login, account: other.id })).status).toBe(201);
      const long = { ...login, alias: 'a'.repeat(51) };
      expectProblem(await generate(kind, long), 422, 'invalid-request', '/alias');
    }
  });

  test('a revoked key never comes back: not on its account, not on another, not in another certificate', async () => {
    const zone = await world.sharedZone();
    const account = await world.account(zone);
    const ca = await foreignCa();
    const { pem: text, spki, privateKey } = await ca.leaf();
    const made = (await bring('login', text, { account: account.id })).body;
    const path = `/v1/certificates/${made.id}`;
    expectProblem(await call(`POST ${path}/revoke`), 428, 'precondition-required');
    expectProblem(await call(`POST ${path}/revoke`, { version: 2 }), 412, 'precondition-failed');
    const revoked = await call(`POST ${path}/revoke`, { version: 1 });
    expect(revoked.body).toMatchObject({ status: 'revoked', revokedAt: expect.any(String), version: 2 });
    expect((await call(`DELETE ${path}`, { version: 2 })).status).toBe(200);

    const other = await world.account(zone);
    const publicKey = lineOf(spki);
    const refusals: [string, string, object][] = [
      ['login', text, { account: account.id }],
      ['login', text, { account: other.id, anchor: 'pinned' }],
      ['login', publicKey, { account: other.id }],
      ['local', text + privateKey, { zones: [zone] }],
    ];
    for (const [kind, text, body] of refusals) {
      expectProblem(await bring(kind, text, body), 422, 'key-revoked', '/text');
    }
  });

  test('nobody revokes a key of another zone by registering it in his own', async () => {
    const mine = await world.zone();
    const theirs = await world.zone();
    const { spki, pem: text } = await (await foreignCa()).leaf();
    await bring('login', text, { account: (await world.account(theirs)).id, anchor: 'pinned' });
    const copied = await bring('login', lineOf(spki), { account: (await world.account(mine)).id });
    expect(copied.status).toBe(201);
    const revoke = (token: string) =>
      call(`POST /v1/certificates/${copied.body.id}/revoke`, { version: 1, token });
    expectProblem(await revoke(await world.token(['certificates:write'], [mine])), 403, 'forbidden');
    const both = await revoke(await world.token(['certificates:write'], [mine, theirs]));
    expect(both.body).toMatchObject({ status: 'revoked' });
    // Every zone refuses the key from now on, not the certificate's own alone.
    const newest = async () => (await call(`GET /v1/snapshots?zone=${theirs}`)).body.items[0]?.sequence;
    await expect.poll(newest, { timeout: 10_000 }).toBeGreaterThanOrEqual(both.body.changeSequence);
  });

  test('what a request of one kind does not take is refused', async () => {
    const zone = await world.sharedZone();
    expectProblem(await create({ source: 'import-everything' }), 422, 'invalid-request', '/source');
    const sans = [{ type: 'dns', value: 'a.example' }];
    const local = (body: object) => generate('local', { zones: [zone], sans, ...body });
    expectProblem(await local({ sans: [] }), 422, 'invalid-request', '/sans');
    expectProblem(await local({ keyType: 'rsa' }), 422, 'invalid-request', '/keyType');
    expectProblem(await local({ account: 'x' }), 422, 'invalid-request', '/account');
    expectProblem(await local({ validDays: 826 }), 422, 'invalid-request', '/validDays');
    expectProblem(await local({ purpose: 'ssh' }), 422, 'certificate-purpose', '/sans');
    const ssh = { purpose: 'ssh', sans: [], issuance: 'self-signed' };
    expectProblem(await local(ssh), 422, 'certificate-purpose', '/issuance');
  });
}

/** An OpenSSH public key line with an RSA key of that size. */
function rsaLine(bits: number): string {
  const { n, e } = generateKeyPairSync('rsa', { modulusLength: bits }).publicKey.export({ format: 'jwk' });
  const field = (bytes: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const integer = (text: Json) => field(Buffer.concat([Buffer.alloc(1), Buffer.from(text, 'base64url')]));
  const exponent = field(Buffer.from(e ?? '', 'base64url'));
  return `ssh-rsa ${Buffer.concat([field(Buffer.from('ssh-rsa')), exponent, integer(n)]).toString('base64')}`;
}
