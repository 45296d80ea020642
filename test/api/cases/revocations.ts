import { unwrap } from '@sallyport/faults';
import { revocation } from '@sallyport/model';
import {
  createCa,
  generateKeyPair,
  keyFacts,
  parseCertificate,
  readPemCertificates,
  selfSignedCertificate,
  sshBlobOf,
  sshPublicKeyLine,
  toPem,
} from '@sallyport/pki';
import { expect, test } from 'vitest';
import { joinedNode } from '../test-node.ts';
import { expectProblem, type Json, type World } from '../world.ts';

const day = 86_400_000;

export function revocationCases(world: World): void {
  const { call, unique } = world;
  const revoke = (targets: readonly object[], more: object = {}, token?: string) =>
    call('POST /v1/certificates/revoke', { body: { targets, ...more }, ...(token ? { token } : {}) });
  const statusOf = async (id: string) => (await call(`GET /v1/certificates/${id}`)).body.status;
  const listed = async (token?: string): Promise<Json[]> => {
    const items: Json[] = [];
    let cursor: string | undefined;
    do {
      const query: string = cursor === undefined ? '' : `&cursor=${cursor}`;
      const { body } = await call(`GET /v1/revocations?limit=2${query}`, token ? { token } : {});
      items.push(...body.items);
      cursor = body.nextCursor;
    } while (cursor !== undefined);
    return items;
  };
  const login = async (account: string, more: object) => {
    const body = { source: 'import', kind: 'login', alias: unique('login'), account, ...more };
    const made = await call('POST /v1/certificates', { body });
    expect(made.status, JSON.stringify(made.body)).toBe(201);
    return made.body;
  };
  /** A partner's key, as a certificate that he signed himself and as an SSH key. */
  const partnerKey = async () => {
    const keys = await generateKeyPair('ed25519');
    const certificate = await selfSignedCertificate(keys, {
      subject: { commonName: 'partner' },
      sans: [],
      purpose: 'tls-client',
      notBefore: new Date(Date.now() - day),
      notAfter: new Date(Date.now() + day),
    });
    const line = sshPublicKeyLine(unwrap(sshBlobOf(keys.spki)), 'partner').trim();
    const { spkiSha256, sshFingerprint } = unwrap(keyFacts(keys.spki));
    const pem = toPem('CERTIFICATE', certificate);
    return { pem, line, spkiSha256, sshFingerprint, sha256: unwrap(parseCertificate(certificate)).sha256 };
  };

  test('one call revokes a login certificate and its SSH key, and all that it names or nothing', async () => {
    const zone = await world.zone();
    const node = await joinedNode(world, zone);
    const account = await world.account(zone);
    const key = await partnerKey();
    const certificate = await login(account.id, { text: key.pem, anchor: 'pinned' });
    const sshKey = await login((await world.account(zone)).id, { text: key.line });
    const other = await login(account.id, { text: (await partnerKey()).line });

    const half = await revoke([
      { by: 'id', id: other.id },
      { by: 'id', id: 'nobody' },
    ]);
    expectProblem(half, 404, 'not-found', '/targets/1/id');
    expect(await statusOf(other.id)).toBe('valid');

    const done = await revoke([{ by: 'id', id: certificate.id }], { reason: 'keyCompromise' });
    expect(done.status).toBe(200);
    expect(done.body.certificates).toEqual(
      expect.arrayContaining([
        { id: certificate.id, alias: certificate.alias },
        { id: sshKey.id, alias: sshKey.alias },
      ]),
    );
    expect(done.body.revocations).toHaveLength(2);
    for (const row of done.body.revocations) {
      expect(revocation.parse(row)).toMatchObject({ spkiSha256: key.spkiSha256, reason: 'keyCompromise' });
    }
    expect([await statusOf(certificate.id), await statusOf(sshKey.id), await statusOf(other.id)]).toEqual([
      'revoked',
      'revoked',
      'valid',
    ]);
    await expect
      .poll(async () => (await node.snapshot()).reader.revocation.revoked.map(({ sha256 }) => sha256), {
        timeout: 10_000,
      })
      .toEqual(expect.arrayContaining([certificate.sha256, sshKey.sha256]));

    // Once more changes nothing of it, whatever it says: nothing takes a revocation back or gives it another reason.
    const again = await revoke([{ by: 'certificate', sha256: key.sha256 }], { reason: 'superseded' });
    const own = again.body.revocations.find(({ sha256 }: Json) => sha256 === key.sha256);
    expect(own).toEqual(done.body.revocations.find(({ sha256 }: Json) => sha256 === key.sha256));
    const { version } = (await call(`GET /v1/certificates/${certificate.id}`)).body;
    expect((await call(`DELETE /v1/certificates/${certificate.id}`, { version })).status).toBe(200);
    expect((await listed()).filter(({ sha256 }) => sha256 === key.sha256)).toHaveLength(1);
    const body = {
      source: 'import',
      kind: 'login',
      alias: unique('back'),
      account: account.id,
      text: key.pem,
    };
    expect((await call('POST /v1/certificates', { body })).body.code).toBe('key-revoked');
  });

  test('by certificate digest, by key in two spellings, and by the file itself', async () => {
    const account = await world.account(await world.sharedZone());
    const targets: ((key: Awaited<ReturnType<typeof partnerKey>>) => object)[] = [
      ({ sha256 }) => ({ by: 'certificate', sha256 }),
      ({ spkiSha256 }) => ({ by: 'key', fingerprint: spkiSha256 }),
      ({ sshFingerprint }) => ({ by: 'key', fingerprint: sshFingerprint }),
      ({ pem }) => ({ by: 'file', text: pem }),
      ({ line }) => ({ by: 'file', text: line }),
    ];
    for (const target of targets) {
      const key = await partnerKey();
      const { id } = await login(account.id, { text: key.pem, anchor: 'pinned' });
      expect((await revoke([target(key)])).body.certificates).toMatchObject([{ id }]);
      expect(await statusOf(id)).toBe('revoked');
    }
  });

  test('what is registered nowhere is revoked beforehand, by who may speak for all zones', async () => {
    const zone = await world.sharedZone();
    const account = await world.account(zone);
    const [byKey, byLine, byPem, byDigest] = [
      await partnerKey(),
      await partnerKey(),
      await partnerKey(),
      await partnerKey(),
    ];
    const targets = [
      { by: 'key', fingerprint: byKey.spkiSha256 },
      { by: 'file', text: byLine.line },
      { by: 'file', text: byPem.pem },
      { by: 'certificate', sha256: byDigest.sha256 },
    ];
    const scoped = await world.token(['certificates:write'], [zone]);
    for (const target of targets) expectProblem(await revoke([target], {}, scoped), 403, 'forbidden');
    expectProblem(
      await revoke([{ by: 'key', fingerprint: byKey.sshFingerprint }]),
      404,
      'not-found',
      '/targets/0/fingerprint',
    );
    const done = await revoke(targets);
    expect(done.body).toMatchObject({ certificates: [], revocations: [{}, {}, {}, {}] });
    for (const key of [byKey, byLine, byPem]) {
      const body = {
        source: 'import',
        kind: 'login',
        alias: unique('x'),
        account: account.id,
        text: key.line,
      };
      expect((await call('POST /v1/certificates', { body })).body.code).toBe('key-revoked');
    }
    // Of a certificate that was named by its digest alone the key is learnt when the certificate comes.
    expect((await revoke([{ by: 'file', text: byDigest.pem }])).status).toBe(200);
    const row = (await listed()).find(({ sha256 }) => sha256 === byDigest.sha256);
    expect(row).toMatchObject({ spkiSha256: byDigest.spkiSha256 });
    // The serial number of somebody else's certificate is on no list of ours.
    expect(row).not.toHaveProperty('serial');
  });

  test('a token of one zone revokes and sees what is of its zone alone', async () => {
    const [mine, theirs] = [await world.zone(), await world.zone()];
    const key = await partnerKey();
    const shared = await login((await world.account(theirs)).id, { text: key.line });
    const copied = await login((await world.account(mine)).id, { text: key.pem, anchor: 'pinned' });
    const token = await world.token(['certificates:*'], [mine]);
    for (const target of [
      { by: 'id', id: copied.id },
      { by: 'id', id: shared.id },
      { by: 'key', fingerprint: key.sshFingerprint },
      { by: 'certificate', sha256: key.sha256 },
    ]) {
      expectProblem(await revoke([target], {}, token), 403, 'forbidden');
    }
    const own = await partnerKey();
    const { id } = await login((await world.account(mine)).id, { text: own.line });
    expect((await revoke([{ by: 'id', id }], {}, token)).status).toBe(200);
    const seen = await listed(token);
    expect(seen.map(({ spkiSha256 }) => spkiSha256)).toEqual([own.spkiSha256]);
    const [internal] = (await call('GET /v1/certificates?kind=internal-ca')).body.items;
    expectProblem(await revoke([{ by: 'id', id: internal.id }], {}, token), 403, 'forbidden');
  });

  test('bad requests name the field', async () => {
    const refuse = async (target: object, code: string, pointer: string, status = 422) =>
      expectProblem(await revoke([target]), status, code, pointer);
    await refuse({ by: 'file', text: 'nothing' }, 'key-material-unrecognised', '/targets/0/text');
    const { privateKey } = await createCa({
      commonName: 'x',
      keyType: 'ed25519',
      notBefore: new Date(Date.now() - day),
      notAfter: new Date(Date.now() + day),
    });
    await refuse(
      { by: 'file', text: toPem('PRIVATE KEY', privateKey) },
      'certificate-purpose',
      '/targets/0/text',
    );
    await refuse({ by: 'certificate', sha256: 'AA' }, 'invalid-request', '/targets/0/sha256');
    await refuse({ by: 'key', fingerprint: 'MD5:aa' }, 'invalid-request', '/targets/0/fingerprint');
    expectProblem(await revoke([]), 422, 'invalid-request', '/targets');
    const pem = (await partnerKey()).pem;
    expect(unwrap(readPemCertificates(pem))).toHaveLength(1);
    expectProblem(
      await revoke([{ by: 'file', text: pem }], { reason: 'certificateHold' }),
      422,
      'invalid-request',
      '/reason',
    );
  });
}
