// A team logs in with OpenSSH certificates instead of keys that somebody would have to register: those that the internal
// CA signs, and those of the team's own CA. Revoking one, or dropping the CA, ends what rests on it within a second.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { run, temporaryFolder } from '../support/process.ts';
import { firstSuccess } from './support/first-success.ts';
import { makeSshKey } from './support/partner.ts';
import { demoOf, type Quickstart, startQuickstart, untilLive } from './support/quickstart.ts';
import { openSftp, sftp } from './support/ssh.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 90_000 });

let quickstart: Quickstart;
let zone: string;
beforeAll(async () => {
  quickstart = await startQuickstart();
  zone = (await demoOf(quickstart)).zone.id;
  for (const name of ['team', 'others']) {
    const { changeSequence } = await quickstart.api.accounts.create({ name, zones: [zone] });
    await untilLive(quickstart, zone, changeSequence);
  }
});
afterAll(() => quickstart.stop());

// biome-ignore lint/suspicious/noExplicitAny: what came over the wire is looked at field by field
type Json = any;

async function call(route: string, body?: object): Promise<Json> {
  const [method = '', path = ''] = route.split(' ');
  const { controlPlaneUrl, apiToken } = quickstart.contract;
  const response = await fetch(`${controlPlaneUrl}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${apiToken}`,
      'if-match': '"1"',
      ...(body ? { 'content-type': 'application/json' } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${route}: ${JSON.stringify(answer)}`);
  return answer;
}

const must = async (args: readonly string[]) =>
  expect(await run('ssh-keygen', [...args])).toMatchObject({ code: 0 });

const mayEnter = async (key: string, user = 'team') =>
  expect(await sftp(quickstart.contract, { user, key }, 'pwd\n')).toMatchObject({ code: 0 });
const mayNotEnter = async (key: string, user = 'team') =>
  expect(await sftp(quickstart.contract, { user, key }, 'pwd\n')).toMatchObject({
    code: 255,
    stderr: expect.stringContaining('Permission denied'),
  });

const lastLogin = async (reason: string): Promise<Json> =>
  vi.waitFor(
    async () => {
      const { items } = await call('GET /v1/events?limit=500');
      const found = items.findLast((one: Json) => one.kind === 'login' && one.reason === reason);
      expect(found).toBeDefined();
      return found;
    },
    { timeout: 15_000, interval: 250 },
  );

test('a certificate of the internal CA logs in its principals, from its networks, until it is revoked', async () => {
  const { file, publicKey } = await makeSshKey('by-api');
  await mayNotEnter(file);
  const { items } = await call('GET /v1/certificate-authorities');
  const sign = async (more: object = {}) => {
    const body = { type: 'user', publicKey, principals: ['team'], keyId: 'nightly job', ...more };
    const made = await call(`POST /v1/certificate-authorities/${items[0].id}/ssh-certificates`, body);
    await writeFile(`${file}-cert.pub`, made.certificate);
    return made;
  };
  const made = await sign({
    criticalOptions: { 'source-address': ['127.0.0.0/8'], 'force-command': 'internal-sftp' },
  });
  await mayEnter(file);
  await mayNotEnter(file, 'others');
  expect(await lastLogin('credential')).toMatchObject({
    account: 'team',
    outcome: 'permitted',
    detail: {
      certificate: items[0].id,
      'sshCertificate.serial': made.serial,
      'sshCertificate.keyId': 'nightly job',
      credential: made.key.sshFingerprint,
    },
  });
  expect(await lastLogin('ssh-certificate-principal')).toMatchObject({
    account: 'others',
    outcome: 'refused',
  });

  const open = await openSftp(quickstart.contract, { user: 'team', key: file });
  await call(`POST /v1/ssh-certificates/${made.id}/revoke`);
  const { beganAfterMs } = await firstSuccess(performance.now(), () => mayNotEnter(file));
  expect(beganAfterMs).toBeLessThan(1_000);
  await expect(open.works()).rejects.toThrow('the session has ended');
  expect(await lastLogin('ssh-certificate-revoked')).toMatchObject({
    detail: { 'sshCertificate.serial': made.serial },
  });

  await sign({ criticalOptions: { 'source-address': ['192.0.2.0/24'] } });
  await mayNotEnter(file);
  await sign({ criticalOptions: { 'force-command': 'sh' } });
  await mayNotEnter(file);
  await sign();
  await mayEnter(file);
});

test('certificates that ssh-keygen signs, of every type, while their CA is trusted', async () => {
  const ca = await makeSshKey('team-ca');
  const folder = temporaryFolder();
  const types = [['ed25519'], ['ecdsa', '-b', '256'], ['ecdsa', '-b', '521'], ['rsa', '-b', '3072']];
  const keys = await Promise.all(
    types.map(async (type) => {
      const file = join(folder, type.join(''));
      await must(['-q', '-t', ...type, '-N', '', '-f', file]);
      await must(['-q', '-s', ca.file, '-I', file, '-n', 'team', '-V', '-5m:+1h', '-z', '7', `${file}.pub`]);
      return file;
    }),
  );
  for (const key of keys) await mayNotEnter(key);
  const trusted = await call('POST /v1/certificates', {
    source: 'import',
    kind: 'trusted',
    alias: 'team-ca',
    text: await readFile(`${ca.file}.pub`, 'utf8'),
  });
  await untilLive(quickstart, zone, trusted.changeSequence);
  for (const key of keys) await mayEnter(key);

  const [key = ''] = keys;
  const resign = (...options: string[]) =>
    must(['-q', '-s', ca.file, '-I', 'again', ...options, `${key}.pub`]);
  const open = await openSftp(quickstart.contract, { user: 'team', key });
  await resign('-n', 'team', '-V', '-2h:-1h');
  await mayNotEnter(key);
  await resign('-V', '-5m:+1h');
  await mayNotEnter(key);
  await resign('-n', 'team', '-V', '-5m:+1h', '-O', 'verify-required');
  await mayNotEnter(key);
  await resign('-h', '-n', 'team', '-V', '-5m:+1h');
  await mayNotEnter(key);
  await resign('-n', 'team,others', '-V', '-5m:+1h');
  await mayEnter(key, 'others');
  await open.works();
  for (const reason of ['expired', 'no-principals', 'critical-option'])
    await lastLogin(`ssh-certificate-${reason}`);

  await call(`DELETE /v1/certificates/${trusted.id}`);
  const { beganAfterMs } = await firstSuccess(performance.now(), () => mayNotEnter(key));
  expect(beganAfterMs).toBeLessThan(1_000);
  await expect(open.works()).rejects.toThrow('the session has ended');
});
