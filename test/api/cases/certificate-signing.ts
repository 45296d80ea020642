import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run, temporaryFolder } from '../../support/process.ts';
import { expectProblem, type Json, type World } from '../world.ts';

const must = async (args: readonly string[]): Promise<string> => {
  const done = await run('openssl', [...args]);
  expect(done).toMatchObject({ code: 0 });
  return done.stdout;
};

/** A partner's own key and request, made by OpenSSL. */
export async function foreignRequest(
  subject = '/CN=partner',
  names?: string,
): Promise<{ key: string; csr: string }> {
  const folder = temporaryFolder();
  const [key, csr] = [join(folder, 'key.pem'), join(folder, 'request.pem')];
  const made = [
    'req',
    '-new',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-subj',
    subject,
    '-keyout',
    key,
    '-out',
    csr,
  ];
  await must([...made, ...(names === undefined ? [] : ['-addext', `subjectAltName=${names}`])]);
  return { key, csr: await readFile(csr, 'utf8') };
}

export function certificateSigningCases(world: World): void {
  const { call, unique } = world;
  const activeCa = async (): Promise<Json> =>
    (await call('GET /v1/certificate-authorities?limit=500')).body.items.find(
      (ca: Json) => ca.state === 'active',
    );
  const sign = async (body: object, options: object = {}) =>
    call(`POST /v1/certificate-authorities/${(await activeCa()).id}/sign`, {
      body: { alias: unique('signed'), ...body },
      ...options,
    });

  test('a partner’s request becomes a login certificate that OpenSSL verifies, and that can be revoked', async () => {
    const account = await world.account(await world.sharedZone());
    const { csr } = await foreignRequest('/CN=whatever they like', 'DNS:evil.example');
    const made = await sign({ csr, account: account.id, validDays: 30 });
    expect(made).toMatchObject({
      status: 201,
      body: { kind: 'login', status: 'valid', hasPrivateKey: false, sans: [] },
    });
    expect(made.body.subject).toBe(`CN=${made.body.alias}`);
    const folder = temporaryFolder();
    await writeFile(join(folder, 'leaf.pem'), made.body.pem);
    await writeFile(join(folder, 'ca.pem'), (await activeCa()).pem);
    const verify = [
      'verify',
      '-purpose',
      'sslclient',
      '-CAfile',
      join(folder, 'ca.pem'),
      join(folder, 'leaf.pem'),
    ];
    expect(await must(verify)).toContain('OK');
    expect(made.body.chain).toBe(made.body.pem + (await activeCa()).pem);
    const revoked = await call(`POST /v1/certificates/${made.body.id}/revoke`, {
      version: made.body.version,
    });
    expect(revoked.body.status).toBe('revoked');
  });

  test('a server of somebody else, by the names that are allowed', async () => {
    const zones = [await world.sharedZone()];
    const { csr } = await foreignRequest('/C=DE/O=Partner/CN=gate', 'DNS:gate.partner.example,IP:192.0.2.7');
    const none = await sign({ csr, purpose: 'tls-server', zones });
    expectProblem(none, 422, 'invalid-request', '/sans');
    const asked = await sign({ csr, purpose: 'tls-server', zones, sans: 'requested', subject: 'requested' });
    expect(asked).toMatchObject({
      status: 201,
      body: {
        kind: 'partner',
        subject: 'CN=gate,O=Partner,C=DE',
        sans: [
          { type: 'dns', value: 'gate.partner.example' },
          { type: 'ip', value: '192.0.2.7' },
        ],
      },
    });
    const sans = [{ type: 'dns', value: 'other.example' }];
    expect((await sign({ csr, purpose: 'tls-server', zones, sans })).body).toMatchObject({ sans });
  });

  test('nobody is given another’s name, zone or key', async () => {
    const zone = await world.sharedZone();
    const [one, other] = [await world.account(zone), await world.account(zone)];
    const { csr } = await foreignRequest('/CN=the name of one');
    const named = { subject: 'requested', match: 'issuer+subject' };
    expect((await sign({ csr, account: one.id, ...named })).status).toBe(201);
    const second = (await foreignRequest('/CN=the name of one')).csr;
    expectProblem(
      await sign({ csr: second, account: other.id, subject: 'requested' }),
      409,
      'already-registered',
      '/subject',
    );
    expectProblem(await sign({ csr, account: other.id }), 409, 'already-registered', '/csr');
    const token = await world.token(['certificates:*'], [await world.zone()]);
    const third = (await foreignRequest()).csr;
    expectProblem(await sign({ csr: third, account: one.id }, { token }), 403, 'forbidden');
    expectProblem(await sign({ csr: third, zones: [zone] }, { token }), 403, 'forbidden');
    expectProblem(await sign({ csr: third }), 422, 'invalid-request', '/account');
    const forged = csr.replace(/[A-Za-z0-9]{4}(?=\S*\n-----END)/, 'AAAA');
    expectProblem(await sign({ csr: forged, account: one.id }), 422, 'csr-malformed', '/csr');
    expectProblem(await sign({ csr: 'garbage!', account: one.id }), 422, 'csr-malformed', '/csr');
    expectProblem(await sign({ csr: 'AAAA', account: one.id }), 422, 'csr-malformed', '/csr');
  });
}
