import { fromBase64, toBase64, utf8 } from '@sallyport/bytes';
import { unwrap } from '@sallyport/faults';
import { certificateAuthority } from '@sallyport/model';
import {
  createCa,
  generateKeyPair,
  issuedBy,
  parseCertificate,
  pkcs12File,
  selfSignedCertificate,
  toPem,
  trustAnchors,
} from '@sallyport/pki';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { joinedNode } from '../test-node.ts';
import { expectProblem, type Json, type World } from '../world.ts';

const day = 86_400_000;
const at = (days: number) => new Date(Date.now() + days * day);
const changedAuthority = certificateAuthority.extend({ changeSequence: z.int() });
const derOf = (pem: string) => fromBase64(pem.replaceAll(/-----[A-Z ]+-----|\s/g, ''));
const parsed = (pem: string) => unwrap(parseCertificate(derOf(pem)));

export function certificateAuthorityCases(world: World): void {
  const { call, unique } = world;
  const path = '/v1/certificate-authorities';
  const prepare = async (more: object = {}): Promise<Json> => {
    const body = { source: 'generate', alias: unique('ca'), subject: { commonName: unique('CA') }, ...more };
    const made = await call(`POST ${path}`, { body });
    expect(made).toMatchObject({ status: 201 });
    return changedAuthority.parse(made.body);
  };
  const active = async (): Promise<Json> =>
    (await call(`GET ${path}?limit=500`)).body.items.find((ca: Json) => ca.state === 'active');
  const act = (ca: Json, step: string, body?: object) =>
    call(`POST ${path}/${ca.id}/${step}`, { version: ca.version, ...(body ? { body } : {}) });

  /** A login certificate of the internal CA that signs now. */
  async function issued(validDays = 30): Promise<Json> {
    const account = await world.account(await world.sharedZone());
    const body = {
      source: 'generate',
      kind: 'login',
      alias: unique('login'),
      account: account.id,
      keyType: 'ed25519',
      handOut: { format: 'pem' },
      validDays,
    };
    const made = await call('POST /v1/certificates', { body });
    expect(made).toMatchObject({ status: 201 });
    return made.body;
  }

  test('a roll-over: prepared, active in place of the old one, which retires and is deleted', async () => {
    const before = await active();
    const next = await prepare({
      subject: { commonName: 'Next', organization: 'Sally & Co', country: 'DE' },
      keyType: 'ecdsa-p384',
    });
    expect(next).toMatchObject({
      state: 'prepared',
      trusted: true,
      subject: 'CN=Next,O=Sally & Co,C=DE',
      key: { type: 'ecdsa-p384' },
    });
    // A second one of the same name: two of them must work.
    const namesake = await prepare({
      subject: { commonName: 'Next', organization: 'Sally & Co', country: 'DE' },
    });
    const [old, long] = [await issued(), await issued(300)];
    expect(await issuedBy(parsed(old.pem), parsed(before.pem))).toBe(true);

    expectProblem(await call(`POST ${path}/${next.id}/activate`), 428, 'precondition-required');
    expectProblem(await call(`POST ${path}/${next.id}/activate`, { version: 9 }), 412, 'precondition-failed');
    const activated = await act(next, 'activate');
    expect(activated).toMatchObject({ status: 200, body: { state: 'active' } });
    const retired = (await call(`GET ${path}/${before.id}`)).body;
    expect(retired).toMatchObject({ state: 'retired', trusted: true, trustedUntil: before.notAfter });
    const fresh = await issued();
    expect(await issuedBy(parsed(fresh.pem), parsed(next.pem))).toBe(true);
    expect(await issuedBy(parsed(fresh.pem), parsed(namesake.pem))).toBe(false);
    for (const made of [old, fresh]) {
      expect((await call(`GET /v1/certificates/${made.id}`)).body.status).toBe('valid');
    }

    // Nothing rests on the namesake, whatever its name.
    expect((await act(namesake, 'retire', { trustedUntil: at(1).toISOString() })).status).toBe(200);
    const signs = await act(activated.body, 'retire', { trustedUntil: at(1).toISOString() });
    expectProblem(signs, 422, 'certificate-purpose');

    // What ends before the CA does is not stopped by its end.
    const late = await act(retired, 'retire', { trustedUntil: at(40).toISOString() });
    expect(late).toMatchObject({ status: 409, body: { code: 'confirmation-required' } });
    expect(late.body.usedBy).toContain(`certificate:${long.alias}`);
    expect(late.body.usedBy).not.toContain(`certificate:${old.alias}`);
    const asked = await act(retired, 'retire', { trustedUntil: at(1).toISOString() });
    expect(asked).toMatchObject({ status: 409, body: { code: 'confirmation-required' } });
    expect(asked.body.usedBy).toContain(`certificate:${old.alias}`);
    const count = asked.body.usedBy.length;
    expect(asked.body.fields).toEqual([{ pointer: '/confirm', detail: String(count) }]);
    const wrong = { trustedUntil: at(1).toISOString(), confirm: count + 1 };
    expectProblem(await act(retired, 'retire', wrong), 409, 'confirmation-required', '/confirm');
    const shorter = await act(retired, 'retire', { ...wrong, confirm: count });
    expect(shorter).toMatchObject({ status: 200, body: { trusted: true, trustedUntil: wrong.trustedUntil } });

    // Its revocation list goes with it.
    expect((await call(`GET /v1/crl/${before.id}.crl`)).status).toBe(200);
    const gone = await call(`DELETE ${path}/${before.id}`, { version: shorter.body.version });
    expectProblem(gone, 409, 'confirmation-required', '/confirm');
    const confirm = gone.body.usedBy.length;
    const deleted = await call(`DELETE ${path}/${before.id}?confirm=${confirm}`, {
      version: shorter.body.version,
    });
    expect(deleted.status).toBe(200);
    expect((await call(`GET /v1/certificates/${old.id}`)).body.status).toBe('untrusted');
    expectProblem(await call(`GET ${path}/${before.id}`), 404, 'not-found');
    const [row] = (await world.audited(`certificate:${before.id}`)).slice(-1);
    expect(row).toMatchObject({ action: 'certificate-authority.delete' });
  });

  test('a revoked CA vouches for nothing and never signs again', async () => {
    const before = await active();
    const bad = await prepare();
    const activated = await act(bad, 'activate');
    const login = await issued();
    const back = await act((await call(`GET ${path}/${before.id}`)).body, 'activate');
    expect(back).toMatchObject({ status: 200, body: { state: 'active' } });
    expect(back.body).not.toHaveProperty('trustedUntil');
    const now = (await call(`GET ${path}/${activated.body.id}`)).body;
    expect(now.state).toBe('retired');
    expectProblem(await act(now, 'revoke', {}), 409, 'confirmation-required', '/confirm');
    const revoked = await act(now, 'revoke', { reason: 'cACompromise', confirm: 1 });
    expect(revoked).toMatchObject({ status: 200, body: { trusted: false, revokedAt: expect.any(String) } });
    expect((await call(`GET /v1/certificates/${login.id}`)).body.status).toBe('untrusted');
    for (const step of ['activate', 'retire'] as const) {
      const body = step === 'retire' ? { trustedUntil: at(1).toISOString() } : undefined;
      expectProblem(await act(revoked.body, step, body), 422, 'certificate-purpose');
    }
  });

  test('a CA is imported from PKCS#12 and from PEM, and must be one', async () => {
    const of = (notBefore: Date, notAfter: Date) =>
      createCa({ commonName: unique('Imported CA'), keyType: 'rsa-2048', notBefore, notAfter });
    const good = await of(at(-1), at(9));
    const p12 = await pkcs12File(
      { privateKey: good.privateKey, chain: [good.certificate], friendlyName: 'ca' },
      'its password',
    );
    const send = (data: Uint8Array, more = {}) =>
      call(`POST ${path}`, {
        body: { source: 'import', alias: unique('ca'), data: toBase64(new Uint8Array(data)), ...more },
      });
    expectProblem(await send(p12), 422, 'key-password-required', '/password');
    expectProblem(await send(p12, { password: 'another' }), 422, 'key-password-wrong', '/password');
    const made = await send(p12, { password: 'its password' });
    expect(made).toMatchObject({
      status: 201,
      body: { state: 'prepared', key: { type: 'rsa', bits: 2048 } },
    });
    expectProblem(await send(p12, { password: 'its password' }), 409, 'already-registered', '/data');

    const pem = ({ certificate, privateKey }: typeof good) =>
      utf8(toPem('CERTIFICATE', certificate) + toPem('PRIVATE KEY', privateKey));
    expect((await send(pem(await of(at(-1), at(1))))).status).toBe(201);
    expectProblem(await send(pem(await of(at(-2), at(-1)))), 422, 'certificate-purpose', '/data');
    expectProblem(await send(pem(await of(at(1), at(2)))), 422, 'certificate-purpose', '/data');
    const pair = await generateKeyPair('ed25519');
    const leaf = await selfSignedCertificate(pair, {
      subject: { commonName: 'no CA' },
      sans: [],
      purpose: 'tls-client',
      notBefore: at(-1),
      notAfter: at(1),
    });
    const refused = await send(pem({ certificate: leaf, privateKey: pair.privateKey }));
    expectProblem(refused, 422, 'certificate-purpose', '/data');
    expectProblem(
      await send(utf8(toPem('CERTIFICATE', good.certificate))),
      422,
      'certificate-purpose',
      '/data',
    );
    expectProblem(await send(utf8('garbage')), 422, 'key-material-unrecognised', '/data');
    const bad = { source: 'generate', alias: unique('ca'), subject: { commonName: 'x', country: 'de' } };
    expectProblem(await call(`POST ${path}`, { body: bad }), 422, 'invalid-request', '/subject/country');
  });

  test('CAs are for those who speak for all zones; everybody reads them', async () => {
    const ca = await active();
    const token = await world.token(['certificates:*'], [await world.sharedZone()]);
    const body = { source: 'generate', alias: unique('ca'), subject: { commonName: 'x' } };
    expectProblem(await call(`POST ${path}`, { body, token }), 403, 'forbidden');
    for (const step of ['activate', 'retire', 'revoke']) {
      const more =
        step === 'activate' ? {} : { body: step === 'retire' ? { trustedUntil: at(1).toISOString() } : {} };
      const answer = await call(`POST ${path}/${ca.id}/${step}`, { version: ca.version, token, ...more });
      expectProblem(answer, 403, 'forbidden');
    }
    expectProblem(await call(`DELETE ${path}/${ca.id}`, { version: ca.version, token }), 403, 'forbidden');
    expect((await call(`GET ${path}/${ca.id}`, { token })).body).toEqual(ca);
    const login = await issued();
    expectProblem(await call(`GET ${path}/${login.id}`), 404, 'not-found');
    const form = async (query: string) =>
      (await call(`GET ${path}/${ca.id}/public?${query}`, { token })).body;
    expect(await form('format=pem')).toBe(ca.pem);
    expect(await form('format=cert-authority')).toMatch(
      /^cert-authority ecdsa-sha2-nistp\d+ AAAA\S+ [a-z0-9-]+\n$/,
    );
    expect(await form('format=openssh')).toMatch(/^ecdsa-sha2-nistp\d+ AAAA/);
    expect(await form('format=known-hosts&hosts=*.example.org,10.*')).toMatch(
      /^@cert-authority \*\.example\.org,10\.\* ecdsa-sha2-nistp\d+ AAAA/,
    );
  });

  test('nodes trust prepared, active and retired CAs, and learn the end', async () => {
    const zone = await world.zone();
    const node = await joinedNode(world, zone);
    const prepared = await prepare();
    const retired = (await act(await prepare(), 'retire', { trustedUntil: at(3).toISOString() })).body;
    const over = (await act(await prepare(), 'retire', { trustedUntil: at(-0.001).toISOString() })).body;
    const ca = await active();
    await expect
      .poll(async () => (await node.snapshot()).reader.trust.cas.map(({ id }) => id), { timeout: 10_000 })
      .toEqual(expect.arrayContaining([ca.id, prepared.id, retired.id]));
    const { trust } = (await node.snapshot()).reader;
    const anchors = trustAnchors(trust.cas.map(({ der }) => fromBase64(der)));
    expect(anchors.named(parsed(prepared.pem).subjectDer)).toHaveLength(1);
    expect(trust.cas.find(({ id }) => id === retired.id)).toMatchObject({
      trustedUntil: retired.trustedUntil,
    });
    expect(trust.cas.map(({ id }) => id)).not.toContain(over.id);
    const sshCas = trust.sshCas.map(({ id }) => id);
    expect(sshCas).toEqual(expect.arrayContaining([ca.id, prepared.id, retired.id]));
    expect(sshCas).not.toContain(over.id);
    // The wrapping issuer of SSH keys is no CA of anybody.
    const { items } = (await call(`GET ${path}?limit=500`)).body;
    expect(items.map(({ subject }: Json) => subject)).not.toContain('CN=Sallyport SSH key wrapping');
  });
}
