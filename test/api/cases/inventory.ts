import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unwrap } from '@sallyport/faults';
import { generateKeyPair, sshBlobOf, sshPublicKeyLine } from '@sallyport/pki';
import { expect, test } from 'vitest';
import { run, temporaryFolder } from '../../support/process.ts';
import { expectProblem, type Json, type World } from '../world.ts';

const day = 86_400_000;
const sans = [{ type: 'dns', value: 'a.example' }];
const pem = { format: 'pem' };
const soon = (days: number) => new Date(Date.now() + days * day).toISOString();

const keyLine = async (options = '', comment = '') =>
  `${options}${sshPublicKeyLine(unwrap(sshBlobOf((await generateKeyPair('ed25519')).spki)), comment).trim()}`;

/** Runs a tool of the field in a folder; its output. */
async function tool(cwd: string, command: string, ...args: string[]): Promise<string> {
  const done = await run(command, args, { cwd });
  expect(done, done.stderr).toMatchObject({ code: 0 });
  return done.stdout;
}

/** Makes a self-signed certificate with openssl; its PEM and its key's. */
async function selfSigned(name: string, ...newKey: string[]): Promise<{ pem: string; key: string }> {
  const folder = temporaryFolder();
  const isCa = name === 'ca' ? 'TRUE' : 'FALSE';
  const extensions = ['-addext', `basicConstraints=critical,CA:${isCa}`, '-addext', 'subjectAltName=DNS:a.b'];
  const key = newKey.length > 0 ? newKey : ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  const files = ['-keyout', 'key.pem', '-out', 'cert.pem'];
  await tool(
    folder,
    'openssl',
    ...['req', '-x509', '-nodes', '-days', '30', '-subj', `/CN=${name}`, ...extensions, ...key, ...files],
  );
  return {
    pem: readFileSync(join(folder, 'cert.pem'), 'utf8'),
    key: readFileSync(join(folder, 'key.pem'), 'utf8'),
  };
}

export function inventoryCases(world: World): void {
  const { call, unique } = world;
  const create = (kind: string, body: object, token?: string) =>
    call('POST /v1/certificates', {
      body: { source: 'generate', kind, alias: unique('inventory'), ...body },
      ...(token === undefined ? {} : { token }),
    });
  const bring = (kind: string, text: string, body: object = {}, token?: string) =>
    call('POST /v1/certificates', {
      body: { source: 'import', kind, alias: unique('inventory'), text, ...body },
      ...(token === undefined ? {} : { token }),
    });
  const made = async (answer: Promise<{ status: number; body: Json }>): Promise<Json> => {
    const { status, body } = await answer;
    expect(body.detail ?? '').toBe('');
    expect(status).toBe(201);
    return body;
  };
  const ids = (answer: { body: Json }): string[] => answer.body.items.map(({ id }: Json) => id);
  const list = async (query: string): Promise<string[]> =>
    ids(await call(`GET /v1/certificates?limit=500&${query}`));

  test.each(['rsa-2048', 'rsa-3072', 'ecdsa-p384', 'ecdsa-p521', 'ed25519'])(
    'a server certificate with a key of type %s, as openssl reads it',
    async (keyType) => {
      const zone = await world.sharedZone();
      const subject = {
        commonName: 'files',
        organization: 'Müller & Söhne',
        organizationalUnit: 'IT',
        locality: 'Zürich',
        state: 'ZH',
        country: 'CH',
      };
      const names = [
        ...sans,
        { type: 'ip', value: '192.0.2.1' },
        { type: 'email', value: 'it@a.example' },
        { type: 'uri', value: 'https://a.example/' },
      ];
      const body = await made(create('local', { zones: [zone], keyType, subject, sans: names }));
      const folder = temporaryFolder();
      writeFileSync(join(folder, 'cert.pem'), body.pem);
      const text = await tool(
        folder,
        'openssl',
        ...['x509', '-in', 'cert.pem', '-noout', '-text', '-nameopt', 'RFC2253,-esc_msb'],
      );
      expect(text).toContain('CN=files,OU=IT,O=Müller & Söhne,L=Zürich,ST=ZH,C=CH');
      expect(text).toContain(
        'DNS:a.example, IP Address:192.0.2.1, email:it@a.example, URI:https://a.example/',
      );
      expect(text).toContain('TLS Web Server Authentication');
      expect(body.serial).toMatch(/^[4-7][0-9a-f]{31}$/);
      expect(body).toMatchObject({ status: 'valid', hasPrivateKey: true });
    },
  );

  test('self-signed: a server’s is nobody’s to vouch for, a partner’s is pinned on the account', async () => {
    const zone = await world.sharedZone();
    const account = await world.account(zone);
    const local = await made(create('local', { zones: [zone], issuance: 'self-signed', sans }));
    expect(local.issuer).toBe(local.subject);
    expect(local.status).toBe('untrusted');
    const login = { account: account.id, issuance: 'self-signed', handOut: pem };
    expect(await made(create('login', login))).toMatchObject({ anchor: 'pinned', status: 'valid' });
    expectProblem(
      await create('login', { ...login, match: 'issuer+subject' }),
      422,
      'certificate-purpose',
      '/match',
    );
  });

  test('keys are handed out in the file that was asked for, and read by the tools', async () => {
    const account = await world.account(await world.sharedZone());
    const folder = temporaryFolder();
    const password = 'eight and more';
    const handed = async (kind: string, body: object) => {
      const answer = await made(create(kind, { account: account.id, ...body }));
      writeFileSync(join(folder, 'file'), Buffer.from(answer.handedOut.data, 'base64'), { mode: 0o600 });
      writeFileSync(join(folder, 'cert.pem'), answer.pem);
      return answer;
    };
    const publicKey = () => tool(folder, 'openssl', 'x509', '-in', 'cert.pem', '-noout', '-pubkey');
    const p12 = await handed('login', { handOut: { format: 'pkcs12', password } });
    expect(p12).toMatchObject({ hasPrivateKey: false, handedOut: { fileName: `${p12.alias}.p12` } });
    const opened = await tool(
      folder,
      'openssl',
      ...['pkcs12', '-in', 'file', '-nodes', '-passin', `pass:${password}`],
    );
    expect(opened).toContain('PRIVATE KEY');
    await handed('partner', { keyType: 'rsa-2048', handOut: { format: 'pem', password } });
    expect(readFileSync(join(folder, 'file'), 'utf8')).toContain('ENCRYPTED PRIVATE KEY');
    const unlocked = ['pkey', '-in', 'file', '-passin', `pass:${password}`, '-pubout'];
    expect(await tool(folder, 'openssl', ...unlocked)).toBe(await publicKey());
    const ssh = await handed('private', { purpose: 'ssh', handOut: { format: 'openssh', password } });
    expect(ssh).toMatchObject({ form: 'ssh-key', hasPrivateKey: true, status: 'valid' });
    const line = await tool(folder, 'ssh-keygen', '-y', '-P', password, '-f', 'file');
    writeFileSync(join(folder, 'file.pub'), line);
    expect(await tool(folder, 'ssh-keygen', '-l', '-f', 'file.pub')).toContain(ssh.key.sshFingerprint);
    const key = await handed('login', { purpose: 'ssh', validDays: 9, handOut: { format: 'openssh' } });
    expect(key).toMatchObject({ match: 'public-key', form: 'ssh-key', hasPrivateKey: false });
    expect(Date.parse(key.validUntil)).toBeGreaterThan(Date.now() + 8 * day);
    expectProblem(
      await create('login', { account: account.id, handOut: { format: 'pkcs12' } }),
      422,
      'invalid-request',
      '/handOut/password',
    );
  });

  test('partner and private certificates are brought, too', async () => {
    const account = await world.account(await world.sharedZone());
    const own = await selfSigned('partner');
    const body = { account: account.id };
    expect(await made(bring('partner', own.pem, body))).toMatchObject({
      kind: 'partner',
      status: 'untrusted',
    });
    expectProblem(await bring('partner', own.pem, body), 409, 'already-registered', '/text');
    expectProblem(await bring('private', own.pem, body), 422, 'certificate-purpose', '/text');
    const kept = await made(bring('private', own.pem + own.key, body));
    expect(kept).toMatchObject({ kind: 'private', form: 'x509', hasPrivateKey: true });
    const folder = temporaryFolder();
    await tool(folder, 'ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', 'key');
    const text = readFileSync(join(folder, 'key'), 'utf8');
    expect(await made(bring('private', text, body))).toMatchObject({ form: 'ssh-key', hasPrivateKey: true });
    expect((await call(`DELETE /v1/accounts/${account.id}`, { version: 1 })).status).toBe(200);
    expectProblem(await call(`GET /v1/certificates/${kept.id}`), 404, 'not-found');
  });

  test('options of a key line: from and expiry-time are kept, cert-authority makes a CA of SSH users', async () => {
    const account = await world.account(await world.sharedZone());
    const line = await keyLine('from="10.0.0.0/8,192.0.2.7",expiry-time="20300101" ');
    expect(await made(bring('login', line, { account: account.id }))).toMatchObject({
      sources: ['10.0.0.0/8', '192.0.2.7/32'],
      validUntil: '2030-01-01T00:00:00.000Z',
    });
    const authority = await keyLine('cert-authority ');
    const refused = await bring('login', authority, { account: account.id });
    expectProblem(refused, 422, 'certificate-purpose', '/text');
    expect(refused.body.detail).toContain('trusted');
    const ca = await made(bring('trusted', authority));
    expect(ca).toMatchObject({ kind: 'trusted', usage: 'ssh-ca', form: 'ssh-key', status: 'valid' });
    const again = await bring('trusted', authority.replace('cert-authority ', ''));
    expectProblem(again, 409, 'already-registered', '/text');
    expect(again.body.detail).toContain(ca.alias);
    const host = await bring('login', await keyLine('from="*.example.org" '), { account: account.id });
    expectProblem(host, 422, 'key-option-unsupported', '/text');
  });

  test('RSA of 1024 bits comes in where every zone takes it, and nowhere else', async () => {
    const lax = await world.zone({ importRsaBits: 1_024 });
    const strict = await world.zone();
    const weak = await selfSigned('weak', '-newkey', 'rsa:1024');
    const folder = temporaryFolder();
    await tool(folder, 'ssh-keygen', '-q', '-t', 'rsa', '-b', '1024', '-N', '', '-f', 'key');
    const line = readFileSync(join(folder, 'key.pub'), 'utf8');
    const both = await world.account(lax, { zones: [lax, strict] });
    for (const text of [line, weak.pem]) {
      const refused = await bring('login', text, { account: both.id, anchor: undefined });
      expectProblem(refused, 422, 'key-unsupported', '/text');
      expect(refused.body.detail).toContain('1024');
    }
    const account = await world.account(lax);
    expect(await made(bring('login', line, { account: account.id }))).toMatchObject({
      key: { type: 'rsa', bits: 1024 },
      form: 'ssh-key',
    });
    const pinned = await made(bring('login', weak.pem, { account: account.id, anchor: 'pinned' }));
    expect(pinned).toMatchObject({ key: { bits: 1024 }, status: 'valid' });
    expect((await call(`GET /v1/certificates/${pinned.id}/public?format=openssh`)).status).toBe(200);
    expect((await call(`GET /v1/certificates/${pinned.id}/fingerprints`)).status).toBe(200);
    const local = await made(bring('local', weak.pem + weak.key, { zones: [lax] }));
    const server = {
      protocol: 'http',
      name: unique('server'),
      zone: lax,
      port: 8443,
      certificates: [local.id],
    };
    expectProblem(
      await call('POST /v1/servers', { body: server }),
      422,
      'key-unsupported',
      '/certificates/0',
    );
    expectProblem(
      await call(`PATCH /v1/certificates/${local.id}`, { version: 1, body: { zones: [lax, strict] } }),
      422,
      'key-unsupported',
      '/zones',
    );
    expectProblem(await bring('trusted', line), 422, 'key-unsupported', '/text');
  });

  test('lists are narrowed by every filter, and all of them together', async () => {
    const zone = await world.zone();
    const account = await world.account(zone);
    const name = unique('cn');
    const subject = { commonName: `${name} 100%` };
    const valid = await made(create('local', { zones: [zone], sans, subject, validDays: 20 }));
    const late = await made(create('local', { zones: [zone], sans, subject, keyType: 'ed25519' }));
    const foreign = await made(create('local', { zones: [zone], sans, subject, issuance: 'self-signed' }));
    const options = { account: account.id, validUntil: soon(-1) };
    const expired = await made(bring('login', await keyLine(), options));
    const revoked = await made(create('login', { account: account.id, subject, handOut: pem }));
    await call(`POST /v1/certificates/${revoked.id}/revoke`, { version: 1 });

    const named = `subject=${encodeURIComponent(`${name} 100%`)}`;
    const all = [valid, late, foreign, revoked].map(({ id }) => id).sort();
    expect(await list(named)).toEqual(all);
    expect(await list(`subject=${encodeURIComponent(`${name} 100%`.toUpperCase())}`)).toEqual(all);
    expect(await list(`subject=${encodeURIComponent(`${name}_100`)}`)).toEqual([]);
    expect((await list(`${named}&status=valid`)).sort()).toEqual([valid.id, late.id].sort());
    expect(await list(`${named}&status=untrusted`)).toEqual([foreign.id]);
    expect(await list(`${named}&status=revoked`)).toEqual([revoked.id]);
    expect(await list(`account=${account.id}&status=expired`)).toEqual([expired.id]);
    expect(await list(`${named}&status=not-yet-valid`)).toEqual([]);
    expect(await list(`${named}&keyType=ed25519`)).toEqual([late.id]);
    expect(await list(`${named}&expiresWithin=30d`)).toEqual([valid.id]);
    expect(await list(`account=${account.id}&expiresWithin=30d`)).toEqual([]);
    expect(await list(`alias=${valid.alias}`)).toEqual([valid.id]);
    const colons = (valid.sha256.match(/../g) ?? []).join(':').toUpperCase();
    for (const fingerprint of [valid.sha256, colons, valid.key.sshFingerprint]) {
      expect(await list(`fingerprint=${encodeURIComponent(fingerprint)}`)).toEqual([valid.id]);
    }
    for (const [field, value] of [
      ['fingerprint', 'abc'],
      ['expiresWithin', '30'],
      ['status', 'fine'],
      ['keyType', 'dsa'],
    ]) {
      expectProblem(
        await call(`GET /v1/certificates?${field}=${value}`),
        422,
        'invalid-request',
        `query/${field}`,
      );
    }
    const paged: string[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined; ) {
      const page: Json = (await call(`GET /v1/certificates?${named}&limit=1${cursor && `&cursor=${cursor}`}`))
        .body;
      paged.push(...page.items.map(({ id }: Json) => id));
      cursor = page.nextCursor;
    }
    expect(paged).toEqual(all);
  });

  test('what is said of a certificate changes, and what its kind does not have is refused', async () => {
    const zone = await world.sharedZone();
    const account = await world.account(zone);
    const patch = (id: string, version: number, body: object) =>
      call(`PATCH /v1/certificates/${id}`, { version, body });
    const login = await made(create('login', { account: account.id, handOut: pem }));
    const validUntil = soon(3);
    const changed = await patch(login.id, 1, {
      alias: unique('other'),
      comment: 'by hand',
      validUntil,
      match: 'public-key',
    });
    expect(changed.body).toMatchObject({ comment: 'by hand', validUntil, match: 'public-key', version: 2 });
    expect(await list(`account=${account.id}&expiresWithin=5d`)).toEqual([login.id]);
    const cleared = await patch(login.id, 2, { validUntil: null, comment: null });
    expect(cleared.body.validUntil).toBe(undefined);
    expectProblem(await patch(login.id, 2, { comment: 'x' }), 412, 'precondition-failed');
    expectProblem(await patch(login.id, 3, { zones: [zone] }), 422, 'certificate-purpose', '/zones');
    expectProblem(await patch(login.id, 3, { revocation: 'crl' }), 422, 'certificate-purpose', '/revocation');
    const local = await world.localCertificate(zone);
    const other = await world.localCertificate(zone);
    expectProblem(await patch(local.id, 1, { alias: other.alias }), 409, 'alias-in-use', '/alias');
    const server = await world.server(zone, { certificates: [local.id] });
    const elsewhere = await world.zone();
    const moved = await patch(local.id, 1, { zones: [elsewhere] });
    expectProblem(moved, 409, 'in-use', '/zones');
    expect(moved.body.usedBy).toEqual([`server:${server.name}`]);
    expect((await patch(local.id, 1, { zones: [zone, elsewhere] })).status).toBe(200);
    const ca = await made(bring('trusted', (await selfSigned('ca')).pem));
    const settings = { revocation: 'crl', onStaleCrl: 'reject', crlUrl: 'http://ca.example.org/a.crl' };
    expect((await patch(ca.id, 1, settings)).body).toMatchObject(settings);
    for (const crlUrl of ['ftp://a.example/', 'file:///etc/passwd', 'http://user:secret@a.example/', 'x']) {
      expectProblem(await patch(ca.id, 2, { crlUrl }), 422, 'invalid-request', '/crlUrl');
    }
  });

  test('one private key on both sides of the firewall needs a reason, which is audited', async () => {
    const edge = await world.zone({ kind: 'edge' });
    const inside = await world.zone();
    const zones = [edge, inside];
    expectProblem(await create('local', { zones, sans }), 422, 'policy-refused', '/zones');
    const sharedKeyWaiver = 'one name for both sides';
    const waived = await made(create('local', { zones, sans, sharedKeyWaiver }));
    expect(waived).toMatchObject({ sharedKeyWaiver });
    const audited = await world.audited(`certificate:${waived.id}`);
    expect(audited[0]?.detail).toMatchObject({ sharedKeyWaiver });
    const taken = await call(`PATCH /v1/certificates/${waived.id}`, {
      version: 1,
      body: { sharedKeyWaiver: null },
    });
    expectProblem(taken, 422, 'policy-refused', '/zones');

    const own = await selfSigned('shared');
    await made(bring('local', own.pem + own.key, { zones: [edge] }));
    const copied = await bring('local', own.pem + own.key, { zones: [inside] });
    expectProblem(copied, 422, 'policy-refused', '/text');
    await made(bring('local', own.pem + own.key, { zones: [inside], sharedKeyWaiver }));
    const one = await made(create('local', { zones: [edge], sans }));
    const grown = await call(`PATCH /v1/certificates/${one.id}`, { version: 1, body: { zones } });
    expectProblem(grown, 422, 'policy-refused', '/zones');
  });

  test('an X.509 login is one account’s, an SSH key may be on several, and foreign names stay unsaid', async () => {
    const mine = await world.zone();
    const theirs = await world.zone();
    const first = await world.account(mine);
    const second = await world.account(mine);
    const foreign = await world.account(theirs);
    const token = await world.token(['certificates:write'], [mine]);
    const own = await selfSigned('login');
    await made(bring('login', own.pem, { account: foreign.id, anchor: 'pinned' }));
    const pinned = { account: second.id, anchor: 'pinned' };
    const seen = await bring('login', own.pem, pinned);
    expectProblem(seen, 409, 'already-registered', '/text');
    expect(seen.body.detail).toContain(foreign.name);
    const blind = await bring('login', own.pem, pinned, token);
    expectProblem(blind, 409, 'already-registered', '/text');
    expect(JSON.stringify(blind.body)).not.toContain(foreign.name);

    const line = await keyLine();
    await made(bring('login', line, { account: foreign.id }));
    await made(bring('login', line, { account: first.id }));
    const warned = await made(bring('login', line, { account: second.id }, token));
    expect(warned.warnings).toHaveLength(1);
    expect(warned.warnings[0]).toContain(first.name);
    expect(warned.warnings[0]).not.toContain(foreign.name);
  });

  test('another certificate takes the place behind an alias, and the earlier one comes back', async () => {
    const zone = await world.zone();
    const local = await world.localCertificate(zone, 'ecdsa-p256');
    const server = await world.server(zone, { protocol: 'http', certificates: [local.id] });
    const path = `/v1/certificates/${local.id}`;
    const replace = (version: number, body: object) => call(`POST ${path}/replace`, { version, body });
    const renewed = (await replace(1, { source: 'same-key', validDays: 90 })).body;
    expect(renewed).toMatchObject({ id: local.id, alias: local.alias, version: 2, key: local.key });
    expect(renewed.sha256).not.toBe(local.sha256);
    expect(renewed.subject).toBe(local.subject);
    expect(renewed.usedBy).toEqual([`server:${server.name}`]);
    const rekeyed = (await replace(2, { source: 'new-key', keyType: 'rsa-2048' })).body;
    expect(rekeyed).toMatchObject({ version: 3, sans: local.sans, key: { type: 'rsa', bits: 2048 } });
    expectProblem(await replace(2, { source: 'same-key' }), 412, 'precondition-failed');
    const own = await selfSigned('brought');
    const brought = (await replace(3, { source: 'import', text: own.pem + own.key })).body;
    expect(brought).toMatchObject({ version: 4, subject: 'CN=brought', hasPrivateKey: true });
    // What somebody else has issued is not renewed here: its own key signs a self-signed one.
    expect((await replace(4, { source: 'same-key' })).body).toMatchObject({
      version: 5,
      issuer: 'CN=brought',
    });

    const versions = (await call(`GET ${path}/versions`)).body.items;
    expect(versions.map(({ number }: Json) => number)).toEqual([4, 3, 2, 1]);
    expect(versions[3]).toMatchObject({ sha256: local.sha256, hasPrivateKey: true });
    expect(JSON.stringify(versions)).not.toContain('k1.');
    const back = await call(`POST ${path}/rollback`, { version: 5, body: { number: 1 } });
    expect(back.body).toMatchObject({ version: 6, sha256: local.sha256, key: local.key });
    const exported = await call(`POST ${path}/export`, {
      body: { format: 'pkcs8', password: 'eight and more' },
    });
    expect(exported.status).toBe(200);
    const numbers = async () =>
      (await call(`GET ${path}/versions`)).body.items.map(({ number }: Json) => number);
    expect(await numbers()).toEqual([5, 4, 3, 2]);
    expectProblem(await call(`POST ${path}/rollback`, { version: 6, body: { number: 1 } }), 404, 'not-found');
    await call(`DELETE /v1/servers/${server.id}`, { version: 1 });
    const kept = await call(`DELETE ${path}`, { version: 6 });
    expectProblem(kept, 409, 'in-use');
    expect(kept.body.usedBy).toEqual(['version:5', 'version:4', 'version:3', 'version:2']);
    for (const number of await numbers()) await call(`DELETE ${path}/versions/${number}`, { version: 6 });
    expect((await call(`DELETE ${path}`, { version: 6 })).status).toBe(200);
  });

  test('SSH host keys and login keys are replaced as what they are', async () => {
    const zone = await world.sharedZone();
    const account = await world.account(zone);
    const replace = (id: string, body: object) =>
      call(`POST /v1/certificates/${id}/replace`, { version: 1, body });
    const host = await made(create('local', { zones: [zone], purpose: 'ssh' }));
    expectProblem(await replace(host.id, { source: 'same-key' }), 422, 'certificate-purpose', '/source');
    const own = await selfSigned('tls');
    const asTls = await replace(host.id, { source: 'import', text: own.pem + own.key });
    expectProblem(asTls, 422, 'certificate-purpose', '/text');
    const next = (await replace(host.id, { source: 'new-key' })).body;
    expect(next).toMatchObject({ form: 'ssh-key', version: 2, key: { type: 'ed25519' } });
    expect(next.key.sshFingerprint).not.toBe(host.key.sshFingerprint);

    const login = await made(create('login', { account: account.id, handOut: pem }));
    expectProblem(await replace(login.id, { source: 'new-key' }), 422, 'invalid-request', '/handOut');
    const again = await replace(login.id, { source: 'new-key', handOut: pem });
    expect(again.body.handedOut.fileName).toBe(`${login.alias}.key`);
    expect(again.body).toMatchObject({ version: 2, hasPrivateKey: false, match: 'certificate' });
    await call(`POST /v1/certificates/${login.id}/revoke`, { version: 2 });
    const same = await call(`POST /v1/certificates/${login.id}/replace`, {
      version: 3,
      body: { source: 'same-key' },
    });
    expectProblem(same, 422, 'key-revoked', '/source');
    const [ca] = (await call('GET /v1/certificates?kind=internal-ca')).body.items;
    const rolled = await call(`POST /v1/certificates/${ca.id}/replace`, {
      version: ca.version,
      body: { source: 'new-key' },
    });
    expectProblem(rolled, 422, 'certificate-purpose', '');
  });

  test('many are renewed at once, and what cannot be is named with the reason', async () => {
    const zone = await world.zone();
    const other = await world.zone();
    const token = await world.token(['certificates:*'], [zone]);
    const body = { zones: [zone], sans, validDays: 5 };
    const one = await made(create('local', body));
    const two = await made(create('local', { ...body, issuance: 'self-signed' }));
    const theirs = await made(create('local', { ...body, zones: [other] }));
    const foreign = await made(bring('local', await issuedElsewhere(), { zones: [zone] }));
    const renew = (body: object) => call('POST /v1/certificates/renew', { body, token });
    expectProblem(await renew({}), 422, 'invalid-request', '/ids');
    expectProblem(await renew({ ids: [theirs.id] }), 403, 'forbidden');
    expectProblem(await renew({ ids: ['nothing'] }), 404, 'not-found', '/ids/0');
    const answer = (await renew({ expiresWithin: '31d' })).body;
    expect(answer.renewed.map(({ id }: Json) => id).sort()).toEqual([one.id, two.id].sort());
    expect(answer.skipped).toEqual([
      { id: foreign.id, alias: foreign.alias, reason: expect.stringContaining('issued by') },
    ]);
    const shown = (await call(`GET /v1/certificates/${one.id}`)).body;
    expect(shown).toMatchObject({ version: 2, key: one.key });
    expect(Date.parse(shown.notAfter)).toBeGreaterThan(Date.now() + 300 * day);
    const rekeyed = (await renew({ ids: [one.id], key: 'new' })).body;
    expect(rekeyed.renewed).toHaveLength(1);
    expect((await call(`GET /v1/certificates/${one.id}`)).body.key).not.toEqual(one.key);
  });

  test('many keys come in by one call, or none with a problem for each that is wrong', async () => {
    const zone = await world.zone();
    const account = await world.account(zone);
    const bulk = (body: object) => call('POST /v1/certificates/bulk', { body });
    const lines = await Promise.all(Array.from({ length: 20 }, (_, at) => keyLine('', `key ${at}`)));
    const text = `# keys of a partner\n${lines.join('\n')}\n\n`;
    const authorizedKeys = { account: account.id, aliasPrefix: unique('bulk'), text };
    const bad = `${text}${lines[3]}\nssh-ed25519 AAAA\n`;
    const unread = await bulk({ authorizedKeys: { ...authorizedKeys, text: bad } });
    expectProblem(unread, 422, 'key-malformed', '/authorizedKeys/text');
    expect(unread.body.fields[0].detail).toMatch(/^line 24: /);
    const twice = await bulk({ authorizedKeys: { ...authorizedKeys, text: `${text}${lines[3]}\n` } });
    expectProblem(twice, 409, 'already-registered', '/authorizedKeys/text');
    expect(twice.body.fields[0].detail).toMatch(/^line 23: /);
    expect(await list(`account=${account.id}`)).toEqual([]);

    const answer = await bulk({ authorizedKeys });
    expect(answer.status).toBe(201);
    expect(answer.body.items).toHaveLength(20);
    expect(answer.body.items[0]).toMatchObject({ alias: `${authorizedKeys.aliasPrefix}-2` });
    expect(await list(`account=${account.id}`)).toHaveLength(20);

    const other = await world.account(zone);
    const item = async (more: object = {}) => ({
      alias: unique('item'),
      account: other.id,
      text: await keyLine(),
      ...more,
    });
    const imports = [
      await item(),
      await item({ text: 'no key' }),
      await item(),
      await item({ text: 'none' }),
    ];
    const wrong = await bulk({ imports });
    expectProblem(wrong, 422, 'key-material-unrecognised', '/imports/1/text', '/imports/3/text');
    const clash = { alias: authorizedKeys.aliasPrefix.concat('-2') };
    const taken = await bulk({ imports: [await item(), await item(clash), await item(clash)] });
    expectProblem(taken, 409, 'alias-in-use', '/imports/1/alias', '/imports/2/alias');
    expect(await list(`account=${other.id}`)).toEqual([]);
    const shared = await bulk({ imports: [await item({ text: lines[0] }), await item()] });
    expect(shared.body.items[0].warnings[0]).toContain(account.name);
    expectProblem(await bulk({}), 422, 'invalid-request', '/imports');
    const token = await world.token(['certificates:write'], [await world.zone()]);
    const foreign = await call('POST /v1/certificates/bulk', { body: { imports: [await item()] }, token });
    expectProblem(foreign, 403, 'forbidden');
  });

  test('the expiry report begins with what hurts most, and shows a token its own zones alone', async () => {
    const zone = await world.zone();
    const accounts = [await world.account(zone), await world.account(zone)];
    const body = { zones: [zone], sans, validDays: 5 };
    const unused = await made(create('local', body));
    const tls = await made(create('local', body));
    const server = await world.server(zone, { protocol: 'http', certificates: [tls.id] });
    const key = await made(
      bring('login', await keyLine(), { account: accounts[0].id, validUntil: soon(-2) }),
    );
    const token = await world.token(['certificates:read'], [zone]);
    const reported = async (token: string) =>
      (await call('GET /v1/certificates/expiry-report?within=30d', { token })).body.items.filter(
        // Trust is everybody's, whichever test has brought it.
        ({ kind }: Json) => kind !== 'trusted',
      );
    expect(await reported(token)).toMatchObject([
      {
        id: tls.id,
        status: 'valid',
        stops: [`TLS clients refuse ${server.name}`],
        zones: [zone],
        servers: [server.name],
        accounts: { count: 2, names: accounts.map(({ name }) => name).sort() },
      },
      {
        id: key.id,
        status: 'expired',
        servers: [],
        accounts: { count: 1, names: [accounts[0].name] },
      },
      { id: unused.id, stops: [], accounts: { count: 0 } },
    ]);
    const elsewhere = await world.token(['certificates:read'], [await world.zone()]);
    expect(await reported(elsewhere)).toEqual([]);
    expectProblem(
      await call('GET /v1/certificates/expiry-report?within=x'),
      422,
      'invalid-request',
      'query/within',
    );
  });

  test('fingerprints and known_hosts lines are those that the tools show', async () => {
    const zone = await world.sharedZone();
    const local = await world.localCertificate(zone, 'ecdsa-p256');
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'cert.pem'), local.pem);
    const shown = (await call(`GET /v1/certificates/${local.id}/fingerprints`)).body;
    for (const hash of ['sha256', 'sha1'] as const) {
      const digest = await tool(
        folder,
        'openssl',
        ...['x509', '-in', 'cert.pem', '-noout', '-fingerprint', `-${hash}`],
      );
      expect(digest.trim().split('=')[1]?.replaceAll(':', '').toLowerCase()).toBe(shown.certificate[hash]);
    }
    const known = await call(
      `GET /v1/certificates/${local.id}/public?format=known-hosts&host=a.example&port=22`,
    );
    writeFileSync(join(folder, 'known'), known.body);
    const sha256 = await tool(folder, 'ssh-keygen', '-l', '-f', 'known');
    expect(sha256).toContain(shown.key.sha256Base64);
    expect(await tool(folder, 'ssh-keygen', '-l', '-E', 'md5', '-f', 'known')).toContain(
      `MD5:${shown.key.md5}`,
    );
    expect(await tool(folder, 'ssh-keygen', '-F', 'a.example', '-f', 'known')).toContain(
      'ecdsa-sha2-nistp256',
    );
  });
}

/** A server's certificate of a CA that is not known here, with its key. */
async function issuedElsewhere(): Promise<string> {
  const folder = temporaryFolder();
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30'];
  const ca = ['-subj', '/CN=somebody else', '-keyout', 'ca.key', '-out', 'ca.pem'];
  await tool(folder, 'openssl', 'req', '-x509', ...ec, ...ca);
  const leaf = ['-subj', '/CN=leaf', '-keyout', 'key.pem', '-out', 'cert.pem'];
  const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-addext', 'subjectAltName=DNS:a.example'];
  await tool(folder, 'openssl', 'req', '-x509', ...ec, ...leaf, ...signed);
  return readFileSync(join(folder, 'cert.pem'), 'utf8') + readFileSync(join(folder, 'key.pem'), 'utf8');
}
