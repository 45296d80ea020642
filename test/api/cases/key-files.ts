import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run, temporaryFolder } from '../../support/process.ts';
import { expectProblem, type Json, type World } from '../world.ts';

/** Runs a tool of the field in a folder; its output. */
async function tool(folder: string, command: string, ...args: string[]): Promise<string> {
  const done = await run(command, args, { cwd: folder });
  expect(done).toMatchObject({ code: 0 });
  return done.stdout;
}

const base64 = (folder: string, name: string): string => readFileSync(join(folder, name)).toString('base64');

/** The SHA256 fingerprint that ssh-keygen gives a key file. */
const fingerprintOf = async (folder: string, name: string): Promise<string> =>
  (await tool(folder, 'ssh-keygen', '-l', '-f', name)).split(' ')[1] ?? '';

/** A self-signed server certificate and its key, as openssl makes them. */
async function serverPair(folder: string): Promise<void> {
  await tool(
    folder,
    'openssl',
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30'],
    ...['-subj', '/CN=sftp.example.org', '-addext', 'subjectAltName=DNS:sftp.example.org'],
    ...['-keyout', 'key.pem', '-out', 'cert.pem'],
  );
}

export function keyFileCases(world: World): void {
  const { call, unique } = world;
  const importFile = (body: object) =>
    call('POST /v1/certificates', { body: { source: 'import', alias: unique('file'), ...body } });

  test('a PKCS#12 file becomes a server certificate, with its password and not without', async () => {
    const zone = await world.sharedZone();
    const folder = temporaryFolder();
    await serverPair(folder);
    await tool(
      folder,
      'openssl',
      ...[
        'pkcs12',
        '-export',
        '-inkey',
        'key.pem',
        '-in',
        'cert.pem',
        '-passout',
        'pass:open sesame',
        '-out',
        'a.p12',
      ],
    );
    const body = { kind: 'local', zones: [zone], data: base64(folder, 'a.p12') };
    expectProblem(await importFile(body), 422, 'key-password-required', '/password');
    expectProblem(await importFile({ ...body, password: 'wrong' }), 422, 'key-password-wrong', '/password');
    const answer = await importFile({ ...body, password: 'open sesame' });
    expect(answer).toMatchObject({ status: 201 });
    expect(answer.body).toMatchObject({ form: 'x509', hasPrivateKey: true, status: 'untrusted' });
    expect(answer.body.subject).toContain('sftp.example.org');
    expect(JSON.stringify(answer.body)).not.toContain('PRIVATE KEY');
    const server = await world.server(zone, { protocol: 'http', certificates: [answer.body.id] });
    expect(server.certificates).toEqual([answer.body.id]);
  });

  test('an OpenSSH private key becomes a host key in its wrapper, for SSH alone, and comes out as it was', async () => {
    const zone = await world.sharedZone();
    const folder = temporaryFolder();
    await tool(folder, 'ssh-keygen', '-q', '-t', 'ed25519', '-N', 'a passphrase', '-C', 'host', '-f', 'host');
    const answer = await importFile({
      kind: 'local',
      zones: [zone],
      data: base64(folder, 'host'),
      password: 'a passphrase',
    });
    expect(answer).toMatchObject({ status: 201 });
    expect(answer.body).toMatchObject({ form: 'ssh-key', status: 'valid' });
    expect(answer.body.key.sshFingerprint).toBe(await fingerprintOf(folder, 'host.pub'));
    await world.server(zone, { certificates: [answer.body.id] });
    const tls = await call('POST /v1/servers', {
      body: { protocol: 'http', name: unique('server'), zone, port: 8443, certificates: [answer.body.id] },
    });
    expectProblem(tls, 422, 'certificate-purpose', '/certificates/0');

    const exported = await call(`POST /v1/certificates/${answer.body.id}/export`, {
      body: { format: 'openssh', password: 'another passphrase' },
    });
    expect(exported).toMatchObject({ status: 200 });
    writeFileSync(join(folder, 'again'), Buffer.from(exported.body.data, 'base64'), { mode: 0o600 });
    const publicHalf = await tool(folder, 'ssh-keygen', '-y', '-P', 'another passphrase', '-f', 'again');
    expect(publicHalf.split(' ')[1]).toBe(readFileSync(join(folder, 'host.pub'), 'utf8').split(' ')[1]);
  });

  test.each([
    ['rfc4716', ['-e', '-m', 'RFC4716']],
    ['pkcs8', ['-e', '-m', 'PKCS8']],
    ['pem', ['-e', '-m', 'PEM']],
  ] as const)(
    'a partner’s public key is read as %s and given out in OpenSSH form',
    async (_form, convert) => {
      const account = await world.account(await world.sharedZone());
      const folder = temporaryFolder();
      await tool(
        folder,
        'ssh-keygen',
        '-q',
        '-t',
        'rsa',
        '-b',
        '2048',
        '-N',
        '',
        '-C',
        'partner',
        '-f',
        'key',
      );
      writeFileSync(join(folder, 'converted'), await tool(folder, 'ssh-keygen', ...convert, '-f', 'key.pub'));
      const answer = await importFile({
        kind: 'login',
        account: account.id,
        data: base64(folder, 'converted'),
      });
      expect(answer).toMatchObject({ status: 201, body: { form: 'ssh-key', match: 'public-key' } });
      expect(answer.body.key).toMatchObject({ type: 'rsa', bits: 2048 });
      const openssh = await call(`GET /v1/certificates/${answer.body.id}/public?format=openssh`);
      writeFileSync(join(folder, 'out.pub'), openssh.body);
      expect(await fingerprintOf(folder, 'out.pub')).toBe(await fingerprintOf(folder, 'key.pub'));
    },
  );

  test('a certificate is given out as openssl and DNS want it, a private key under its password alone', async () => {
    const zone = await world.sharedZone();
    const local = await world.localCertificate(zone, 'ecdsa-p256');
    const folder = temporaryFolder();
    const download = async (format: string, more = ''): Promise<string> => {
      const response = await fetch(
        `${world.plane().url}/v1/certificates/${local.id}/public?format=${format}${more}`,
        { headers: { authorization: `Bearer ${world.plane().apiToken}` } },
      );
      expect(response.status).toBe(200);
      writeFileSync(join(folder, format), Buffer.from(await response.arrayBuffer()));
      return readFileSync(join(folder, format), 'utf8');
    };
    for (const [format, inform] of [
      ['pem', 'PEM'],
      ['der', 'DER'],
      ['chain', 'PEM'],
    ] as const) {
      await download(format);
      const shown = await tool(
        folder,
        'openssl',
        ...['x509', '-inform', inform, '-in', format, '-noout', '-fingerprint', '-sha256'],
      );
      expect(shown.trim().split('=')[1]?.replaceAll(':', '').toLowerCase()).toBe(local.sha256);
    }
    expect(await download('sshfp', '&host=sftp.example.org')).toMatch(
      /^sftp\.example\.org\.? IN SSHFP 3 2 [0-9a-f]{64}\n$/,
    );
    expectProblem(
      await call(`GET /v1/certificates/${local.id}/public?format=sshfp`),
      422,
      'invalid-request',
      'query/host',
    );

    const exportAs = (format: string) =>
      call(`POST /v1/certificates/${local.id}/export`, { body: { format, password: 'eight and more' } });
    for (const [format, args] of [
      ['pkcs12', ['pkcs12', '-nodes', '-nocerts', '-passin', 'pass:eight and more', '-in', 'private']],
      ['pkcs8', ['pkey', '-passin', 'pass:eight and more', '-in', 'private']],
    ] as const) {
      const answer = await exportAs(format);
      writeFileSync(join(folder, 'private'), Buffer.from(answer.body.data, 'base64'));
      writeFileSync(join(folder, 'plain'), await tool(folder, 'openssl', ...args));
      const ofKey = await tool(folder, 'openssl', 'pkey', '-in', 'plain', '-pubout');
      expect(ofKey).toBe(await tool(folder, 'openssl', 'x509', '-in', 'pem', '-noout', '-pubkey'));
    }
    const audited = await world.audited(`certificate:${local.id}`);
    expect(audited.map(({ action }) => action)).toContain('certificate.export');
  });

  test('a file of several keys asks which, and takes the one that is named', async () => {
    const account = await world.account(await world.sharedZone());
    const folder = temporaryFolder();
    for (const name of ['first', 'second']) {
      await tool(folder, 'ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', name);
    }
    const both = ['first.pub', 'second.pub'].map((name) => readFileSync(join(folder, name), 'utf8')).join('');
    const body = { kind: 'login', account: account.id, data: Buffer.from(both).toString('base64') };
    const asked = await importFile(body);
    expectProblem(asked, 409, 'import-choice-required', '/choice', '/choice');
    expect(asked.body.fields.map(({ detail }: Json) => detail.split(':')[0])).toEqual(['first', 'second']);
    const taken = await importFile({ ...body, choice: 'second' });
    expect(taken.body.key.sshFingerprint).toBe(await fingerprintOf(folder, 'second.pub'));
  });

  test('what is no key, not that kind of one, or too weak is refused with what it was', async () => {
    const zone = await world.sharedZone();
    const account = await world.account(zone);
    const folder = temporaryFolder();
    await serverPair(folder);
    const data = (text: string) => Buffer.from(text).toString('base64');
    expectProblem(
      await importFile({ kind: 'local', zones: [zone], data: data('no key at all, just words') }),
      422,
      'key-material-unrecognised',
      '/data',
    );
    expectProblem(
      await importFile({ kind: 'local', zones: [zone], data: base64(folder, 'cert.pem') }),
      422,
      'certificate-purpose',
      '/data',
    );
    expectProblem(
      await importFile({ kind: 'login', account: account.id, data: base64(folder, 'key.pem') }),
      422,
      'certificate-purpose',
      '/data',
    );
    expectProblem(
      await importFile({ kind: 'trusted', data: base64(folder, 'key.pem') }),
      422,
      'certificate-purpose',
      '/data',
    );
    expectProblem(
      await importFile({ kind: 'local', data: base64(folder, 'key.pem') }),
      422,
      'invalid-request',
      '/zones',
    );
    const line = readFileSync(join(folder, 'cert.pem'), 'utf8').slice(0, 200);
    expect((await importFile({ kind: 'trusted', data: data(line) })).status).toBe(422);
    await tool(folder, 'ssh-keygen', '-q', '-t', 'rsa', '-b', '1024', '-N', '', '-f', 'weak');
    expectProblem(
      await importFile({ kind: 'login', account: account.id, data: base64(folder, 'weak.pub') }),
      422,
      'key-unsupported',
      '/data',
    );
  });
}
