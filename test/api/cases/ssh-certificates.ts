import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromBase64 } from '@sallyport/bytes';
import { sshCertificate } from '@sallyport/model';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { run, temporaryFolder } from '../../support/process.ts';
import { joinedNode } from '../test-node.ts';
import { expectProblem, type Json, type World } from '../world.ts';

const signedCertificate = sshCertificate.extend({ changeSequence: z.int(), certificate: z.string() });

const must = async (program: string, args: readonly string[]): Promise<string> => {
  const done = await run(program, [...args]);
  expect(done).toMatchObject({ code: 0 });
  return done.stdout;
};

export function sshCertificateCases(world: World): void {
  const { call } = world;
  const activeCa = async (): Promise<Json> =>
    (await call('GET /v1/certificate-authorities?limit=500')).body.items.find(
      (ca: Json) => ca.state === 'active',
    );
  const sign = async (body: object, options: object = {}) =>
    call(`POST /v1/certificate-authorities/${(await activeCa()).id}/ssh-certificates`, { body, ...options });
  const makeKey = async (...type: string[]): Promise<{ file: string; line: string }> => {
    const file = join(temporaryFolder(), 'key');
    await must('ssh-keygen', ['-q', '-t', ...type, '-N', '', '-C', 'key', '-f', file]);
    return { file, line: await readFile(`${file}.pub`, 'utf8') };
  };

  test.each([
    ['ed25519', ['ed25519']],
    ['ecdsa', ['ecdsa', '-b', '384']],
    ['rsa', ['rsa', '-b', '2048']],
  ])('ssh-keygen reads a user certificate of an %s key as we say it', async (_, type) => {
    const { file, line } = await makeKey(...type);
    const made = await sign({
      type: 'user',
      publicKey: line,
      principals: ['acme', 'acme-ci'],
      keyId: 'acme nightly',
      validFor: 3_600,
      criticalOptions: { 'source-address': ['192.0.2.0/24', '::1/128'], 'force-command': 'internal-sftp' },
      extensions: ['permit-pty'],
    });
    expect(made.status).toBe(201);
    const { certificate, changeSequence: _sequence, ...record } = signedCertificate.parse(made.body);
    await writeFile(`${file}-cert.pub`, certificate);
    const shown = await must('ssh-keygen', ['-L', '-f', `${file}-cert.pub`]);
    const ca = (await call(`GET /v1/certificate-authorities/${record.certificateAuthority}`)).body;
    expect(shown).toContain('user certificate');
    expect(shown).toContain(`Signing CA: ECDSA ${ca.key.sshFingerprint}`);
    expect(shown).toContain('Key ID: "acme nightly"');
    expect(shown).toContain(`Serial: ${record.serial}`);
    expect(shown).toMatch(/Principals:\s+acme\s+acme-ci\s/);
    expect(shown).toMatch(/force-command internal-sftp\s+source-address 192\.0\.2\.0\/24,::1\/128/);
    expect(shown).toMatch(/Extensions:\s+permit-pty/);
    expect(record).toMatchObject({ type: 'user', status: 'valid', keyId: 'acme nightly' });
    expect(Date.parse(record.validBefore) - Date.now()).toBeLessThanOrEqual(3_600_000);
    expect((await call(`GET /v1/ssh-certificates/${record.id}`)).body).toEqual(record);
    const listed = await call(`GET /v1/ssh-certificates?certificateAuthority=${ca.id}&limit=500`);
    expect(listed.body.items).toContainEqual(record);
  });

  test('a host certificate, and the line that makes clients trust its CA', async () => {
    const { file, line } = await makeKey('ed25519');
    const made = await sign({
      type: 'host',
      publicKey: line,
      principals: ['sftp.example.org'],
      keyId: 'gate',
    });
    await writeFile(`${file}-cert.pub`, made.body.certificate);
    const shown = await must('ssh-keygen', ['-L', '-f', `${file}-cert.pub`]);
    expect(shown).toContain('host certificate');
    const ca = await activeCa();
    const query = 'format=known-hosts&hosts=*.example.org';
    const known = join(temporaryFolder(), 'known_hosts');
    await writeFile(known, (await call(`GET /v1/certificate-authorities/${ca.id}/public?${query}`)).body);
    const found = await must('ssh-keygen', ['-F', 'sftp.example.org', '-f', known]);
    expect(found).toContain('found: line 1 CA');
  });

  test('revoked ones go to the nodes, by the key of their CA and their serial', async () => {
    const node = await joinedNode(world, await world.zone());
    const { line } = await makeKey('ed25519');
    const made = (await sign({ type: 'user', publicKey: line, principals: ['acme'], keyId: 'gone' })).body;
    const revoked = await call(`POST /v1/ssh-certificates/${made.id}/revoke`);
    expect(revoked).toMatchObject({ status: 200, body: { status: 'revoked' } });
    const again = await call(`POST /v1/ssh-certificates/${made.id}/revoke`);
    expect(again.body.revokedAt).toBe(revoked.body.revokedAt);
    await expect
      .poll(async () => (await node.snapshot()).reader.revocation.sshCertificates, { timeout: 10_000 })
      .toContainEqual({ caFingerprint: made.caFingerprint, serial: made.serial });
    const { trust } = (await node.snapshot()).reader;
    const ca = trust.sshCas.find(({ id }) => id === made.certificateAuthority);
    const { body } = await call(
      `GET /v1/certificate-authorities/${made.certificateAuthority}/public?format=openssh`,
    );
    expect(body.split(' ')[1]).toBe(Buffer.from(fromBase64(ca?.key ?? '')).toString('base64'));
  });

  test('what cannot be certified is refused by field', async () => {
    const { line } = await makeKey('ed25519');
    const good = { type: 'user', publicKey: line, principals: ['acme'], keyId: 'x' };
    const refused = async (more: object, code: string, pointer: string) =>
      expectProblem(await sign({ ...good, ...more }), 422, code, pointer);
    await refused({ publicKey: 'ssh-ed25519 AAAA' }, 'key-malformed', '/publicKey');
    await refused(
      { publicKey: `restrict,from="10.0.0.0/8" ${line}` },
      'key-option-unsupported',
      '/publicKey',
    );
    await refused({ principals: [] }, 'invalid-request', '/principals');
    await refused({ principals: ['a,b'] }, 'invalid-request', '/principals/0');
    await refused({ keyId: 'two\nlines' }, 'invalid-request', '/keyId');
    await refused({ validFor: 10 }, 'invalid-request', '/validFor');
    await refused(
      { criticalOptions: { 'verify-required': '' } },
      'invalid-request',
      '/criticalOptions/verify-required',
    );
    await refused({ extensions: ['permit-all'] }, 'invalid-request', '/extensions/0');
    const host = { ...good, type: 'host', extensions: ['permit-pty'] };
    expectProblem(await sign(host), 422, 'invalid-request', '/extensions');
    const token = await world.token(['certificates:*'], [await world.sharedZone()]);
    expectProblem(await sign(good, { token }), 403, 'forbidden');
    expectProblem(await call('GET /v1/ssh-certificates', { token }), 403, 'forbidden');
    const prepared = await call('POST /v1/certificate-authorities', {
      body: { source: 'generate', alias: world.unique('ca'), subject: { commonName: 'not yet' } },
    });
    const path = `POST /v1/certificate-authorities/${prepared.body.id}/ssh-certificates`;
    expectProblem(await call(path, { body: good }), 422, 'certificate-purpose');
    const zone = await world.sharedZone();
    const account = await world.account(zone);
    const body = {
      source: 'import',
      kind: 'login',
      alias: world.unique('key'),
      account: account.id,
      text: line,
    };
    const registered = await call('POST /v1/certificates', { body });
    expect(registered.status).toBe(201);
    await call(`POST /v1/certificates/${registered.body.id}/revoke`, { version: registered.body.version });
    await refused({}, 'key-revoked', '/publicKey');
  });
}
