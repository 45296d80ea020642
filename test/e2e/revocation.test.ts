// A partner logs in by certificates of his own CA, which publishes revocation lists. What the CA revokes is out within a
// second, whoever is in is put out, and an ended list refuses or alarms as the operator has chosen. What the operator
// revokes himself goes with one call, the certificate and the SSH key.
import { stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unwrap } from '@sallyport/faults';
import {
  createCa,
  createCrl,
  generateKeyPair,
  type Issuer,
  issueCertificate,
  parseCertificate,
  toPem,
} from '@sallyport/pki';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { eventually, type RunningProcess, temporaryFolder } from '../support/process.ts';
import { type CurlTarget, curl, startCurl, type TlsLogin } from './support/curl.ts';
import { firstSuccess } from './support/first-success.ts';
import { makePartner } from './support/partner.ts';
import { demoOf, placeFile, type Quickstart, startQuickstart, untilLive } from './support/quickstart.ts';
import { openSftp, sftp } from './support/ssh.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 90_000 });

const day = 86_400_000;
const targets: readonly CurlTarget[] = ['ftp', 'ftps', 'https'];

let quickstart: Quickstart;
let zone: string;
let ca: Issuer;
let caId: string;
let caVersion: number;
let number = 0n;
let accountId: string;

beforeAll(async () => {
  quickstart = await startQuickstart();
  zone = (await demoOf(quickstart)).zone.id;
  const validity = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + day) };
  ca = await createCa({ commonName: 'Partner CA', keyType: 'ecdsa-p256', ...validity });
  const { api } = quickstart;
  const text = toPem('CERTIFICATE', ca.certificate);
  const trusted = await api.certificates.create({
    source: 'import',
    kind: 'trusted',
    alias: 'partner-ca',
    text,
  });
  caId = trusted.id;
  caVersion = trusted.version;
  await setCa({ revocation: 'crl', onStaleCrl: 'reject' });
  accountId = (await api.accounts.create({ name: 'listed', zones: [zone] })).id;
  await placeFile(quickstart, 'listed', 'big.bin', '');
  await truncate(join(quickstart.filesOf('listed'), 'big.bin'), 500_000_000);
});
afterAll(() => quickstart.stop());

async function setCa(body: object): Promise<void> {
  const path = `/v1/certificates/${caId}`;
  const changed = (await quickstart.api.request({ method: 'PATCH', path, body, version: caVersion })) as {
    version: number;
    changeSequence: number;
  };
  caVersion = changed.version;
  await untilLive(quickstart, zone, changed.changeSequence);
}

/** Puts the CA's next list in force, which ends after so many milliseconds. */
async function putList(serials: readonly string[], lifeMs = day): Promise<{ changeSequence: number }> {
  number += 1n;
  const now = Date.now();
  const der = await createCrl(ca, {
    number,
    thisUpdate: new Date(now - 60_000),
    nextUpdate: new Date(now + lifeMs),
    entries: serials.map((serial) => ({ serial, revokedAt: new Date(now - 60_000) })),
  });
  const body = { data: Buffer.from(der).toString('base64') };
  const path = `/v1/certificates/${caId}/crl`;
  return (await quickstart.api.request({ method: 'POST', path, body })) as { changeSequence: number };
}

/** A certificate of the partner's CA, on his account. */
async function listedCertificate(alias: string): Promise<{ login: TlsLogin; serial: string }> {
  const keys = await generateKeyPair('ecdsa-p256');
  const der = await issueCertificate({
    issuer: ca,
    spki: keys.spki,
    subject: { commonName: alias },
    sans: [],
    purpose: 'tls-client',
    notBefore: new Date(Date.now() - day),
    notAfter: new Date(Date.now() + day),
  });
  const text = toPem('CERTIFICATE', der);
  const { changeSequence } = await quickstart.api.certificates.create({
    source: 'import',
    kind: 'login',
    alias,
    account: accountId,
    text,
  });
  const folder = temporaryFolder();
  const certificate = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  await writeFile(certificate.cert, text);
  await writeFile(certificate.key, toPem('PRIVATE KEY', keys.privateKey), { mode: 0o600 });
  await untilLive(quickstart, zone, changeSequence);
  return { login: { user: 'listed', certificate }, serial: unwrap(parseCertificate(der)).serial };
}

const enters = async (target: CurlTarget, login: TlsLogin): Promise<boolean> =>
  (await curl(quickstart.contract, target, '', login)).code === 0;

/** A download that would take minutes; it runs when this resolves. */
async function startSlowDownload(target: CurlTarget, login: TlsLogin): Promise<RunningProcess> {
  const file = join(temporaryFolder(), 'part.bin');
  const slow = startCurl(quickstart.contract, target, 'big.bin', login, ['--limit-rate', '4M', '-o', file]);
  await eventually(async () => expect((await stat(file)).size).toBeGreaterThan(0));
  return slow;
}

/** Why client certificates were not acceptable, as the event log has it. */
const refusals = async (): Promise<string> =>
  (await quickstart.api.events(0))
    .filter(({ reason }) => reason === 'credential-invalid')
    .map(({ detail }) => detail?.credential)
    .join('\n');

test('without a list of a CA that must have one nobody enters; with one, all but who is on it', async () => {
  const { login, serial } = await listedCertificate('first');
  const bystander = await listedCertificate('second');
  for (const target of targets) expect(await enters(target, login)).toBe(false);
  await untilLive(quickstart, zone, (await putList([])).changeSequence);
  for (const target of targets) expect(await enters(target, login)).toBe(true);

  // SSH looks at the key alone, and at whether its certificate still holds.
  const key = { user: 'listed', key: login.certificate?.key ?? '' };
  const byKey = await openSftp(quickstart.contract, key);
  const resting = [await startSlowDownload('ftp', login), await startSlowDownload('https', login)];
  const other = await startSlowDownload('https', bystander.login);
  await putList([serial]);
  const { beganAfterMs } = await firstSuccess(performance.now(), async () =>
    expect(await enters('https', login)).toBe(false),
  );
  console.log(`revoked by the list: met by a client that came ${beganAfterMs.toFixed()} ms after the answer`);
  expect(beganAfterMs).toBeLessThan(1_000);
  for (const download of resting) expect(await download.exited).not.toBe(0);
  await expect(byKey.works()).rejects.toThrow('the session has ended');
  expect((await sftp(quickstart.contract, key, 'pwd\n')).code).toBe(255);
  for (const target of targets) expect(await enters(target, login)).toBe(false);
  expect(other.child.exitCode).toBe(null);
  other.kill('SIGTERM');
  await other.exited;
  for (const target of targets) expect(await enters(target, bystander.login)).toBe(true);
  await eventually(async () => {
    const told = await refusals();
    expect(told).toContain('crl-stale: no list of CN=Partner CA');
    expect(told).toContain('revoked: CN=first, by list 2 of CN=Partner CA');
  });
});

test('a list that ends puts out who rests on it, or raises the alarm once, as the operator has chosen', async () => {
  const { login } = await listedCertificate('third');
  await untilLive(quickstart, zone, (await putList([], 3_000)).changeSequence);
  const resting = await startSlowDownload('https', login);
  expect(await resting.exited).not.toBe(0);
  expect(await enters('https', login)).toBe(false);
  await setCa({ onStaleCrl: 'accept-with-alarm' });
  expect(await enters('https', login)).toBe(true);
  expect(await enters('https', login)).toBe(true);
  await eventually(async () => {
    const alarms = (await quickstart.api.events(0)).filter(({ reason }) => reason === 'crl-stale');
    const ofNow = alarms.filter(({ detail }) => detail?.onStaleCrl === 'accept-with-alarm');
    expect(ofNow).toMatchObject([{ kind: 'snapshot', outcome: 'failed', detail: { ca: caId, number: '3' } }]);
  });
});

test('one call revokes a login certificate and its SSH key, and both are out within a second', async () => {
  const partner = await makePartner(quickstart, zone, 'revoked');
  const { contract, api } = quickstart;
  await placeFile(quickstart, 'revoked', 'big.bin', '');
  await truncate(join(quickstart.filesOf('revoked'), 'big.bin'), 500_000_000);
  const login = { user: 'revoked', certificate: partner.certificate };
  const byKey = await openSftp(contract, { user: 'revoked', key: partner.key });
  const byCertificate = await startSlowDownload('https', login);
  const body = {
    targets: [
      { by: 'id', id: partner.certificateId },
      { by: 'id', id: partner.keyId },
    ],
    reason: 'keyCompromise',
  };
  await api.request({ method: 'POST', path: '/v1/certificates/revoke', body });
  const answered = performance.now();
  const refused = await Promise.all([
    firstSuccess(answered, async () => expect(await enters('https', login)).toBe(false)),
    firstSuccess(answered, async () =>
      expect((await sftp(contract, { user: 'revoked', key: partner.key }, 'pwd\n')).code).toBe(255),
    ),
  ]);
  for (const { beganAfterMs } of refused) expect(beganAfterMs).toBeLessThan(1_000);
  await expect(byKey.works()).rejects.toThrow('the session has ended');
  expect(await byCertificate.exited).not.toBe(0);
  const list = await fetch(`${contract.controlPlaneUrl}/v1/crl/internal-ca.crl`);
  expect(list.headers.get('content-type')).toBe('application/pkix-crl');
});
