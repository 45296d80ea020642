// An operator changes accounts while partners work: adds a key, revokes a certificate, changes a password, disables an
// account, deletes it. Each change is in force on the node within a second; the sessions that rest on what is gone end,
// and everybody else's go on.
import { randomBytes } from 'node:crypto';
import { stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { eventually, type RunningProcess, temporaryFolder } from '../support/process.ts';
import { curl, startCurl, type TlsLogin } from './support/curl.ts';
import { firstSuccess } from './support/first-success.ts';
import { makePartner, makeSshKey, type Partner } from './support/partner.ts';
import { changeAccount, demoOf, placeFile, type Quickstart, startQuickstart } from './support/quickstart.ts';
import { type OpenSftp, openSftp, type SshLogin, sftp } from './support/ssh.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 90_000 });

let quickstart: Quickstart;
let partner: Partner;
/** Somebody whom none of the changes is about. */
let bystander: OpenSftp;

beforeAll(async () => {
  quickstart = await startQuickstart();
  const { zone } = await demoOf(quickstart);
  partner = await makePartner(quickstart, zone.id, 'partner');
  await placeFile(quickstart, 'partner', 'big.bin', '');
  // Holes are as long as bytes and cost nothing.
  await truncate(join(quickstart.filesOf('partner'), 'big.bin'), 500_000_000);
  bystander = await openSftp(quickstart.contract, { key: quickstart.contract.files.sshKey });
});
afterAll(async () => {
  await bystander.close();
  await quickstart.stop();
});

const mayEnter = async (login: SshLogin): Promise<void> =>
  expect(await sftp(quickstart.contract, { user: 'partner', ...login }, 'pwd\n')).toMatchObject({ code: 0 });
const mayNotEnter = async (login: SshLogin): Promise<void> => {
  const refused = await sftp(quickstart.contract, { user: 'partner', ...login }, 'pwd\n');
  expect(refused).toMatchObject({ code: 255, stderr: expect.stringContaining('Permission denied') });
};

/** A download over TLS that would take minutes; it runs when this resolves. */
async function startSlowDownload(target: 'ftp' | 'https', login: TlsLogin): Promise<RunningProcess> {
  const file = join(temporaryFolder(), 'part.bin');
  const slow = startCurl(quickstart.contract, target, 'big.bin', { user: 'partner', ...login }, [
    '--limit-rate',
    '4M',
    '-o',
    file,
  ]);
  await eventually(async () => expect((await stat(file)).size).toBeGreaterThan(0));
  return slow;
}

/** Makes a change and waits until a new client meets it; fails when that takes a second or more. */
async function liveWithinASecond(
  what: string,
  change: () => Promise<unknown>,
  newClientMeetsIt: () => Promise<void>,
): Promise<void> {
  await change();
  const answered = performance.now();
  const { beganAfterMs } = await firstSuccess(answered, newClientMeetsIt);
  console.log(`${what}: met by a client that came ${beganAfterMs.toFixed()} ms after the answer`);
  expect(beganAfterMs).toBeLessThan(1_000);
}

/** Every one of them is over: a transfer is cut by the server, a person's session answers no more. */
async function expectEnded(...resting: (OpenSftp | RunningProcess)[]): Promise<void> {
  for (const one of resting) {
    if ('works' in one) await expect(one.works()).rejects.toThrow('the session has ended');
    else expect(await one.exited).not.toBe(0);
  }
}

test('a login key that is added', async () => {
  const added = await makeSshKey('added');
  await mayNotEnter({ key: added.file });
  await liveWithinASecond(
    'key added',
    () =>
      quickstart.api.certificates.create({
        source: 'import',
        kind: 'login',
        alias: 'partner-added',
        account: partner.id,
        text: added.publicKey,
      }),
    () => mayEnter({ key: added.file }),
  );
});

test('a client certificate that is revoked ends what it let in, and nothing else', async () => {
  const { api, contract } = quickstart;
  const { certificate } = partner;
  const byKey = await openSftp(contract, { user: 'partner', key: partner.key });
  const resting = [
    await startSlowDownload('ftp', { certificate }),
    await startSlowDownload('https', { certificate }),
  ];
  const byPassword = await startSlowDownload('https', { password: partner.password });

  const { version } = await api.certificates.get(partner.certificateId);
  await liveWithinASecond(
    'certificate revoked',
    () => api.certificates.revoke(partner.certificateId, version),
    async () => {
      const refused = await curl(contract, 'https', '', { user: 'partner', certificate });
      expect(refused.code).toBe(22);
    },
  );
  await expectEnded(...resting);
  await byKey.works();
  expect(byPassword.child.exitCode).toBe(null);
  expect((await curl(contract, 'ftp', '', { user: 'partner', certificate })).code).toBe(67);
  expect(
    await curl(contract, 'https', '', { user: 'partner', password: partner.password, certificate }),
  ).toMatchObject({
    code: 0,
  });
  byPassword.kill('SIGTERM');
  await byPassword.exited;
  await byKey.close();
});

test('a key that is revoked ends the session that it let in', async () => {
  const { api, contract } = quickstart;
  const byKey = await openSftp(contract, { user: 'partner', key: partner.key });
  const byPassword = await openSftp(contract, { user: 'partner', password: partner.password });
  const { version } = await api.certificates.get(partner.keyId);
  await liveWithinASecond(
    'key revoked',
    () => api.certificates.revoke(partner.keyId, version),
    () => mayNotEnter({ key: partner.key }),
  );
  await expectEnded(byKey);
  await byPassword.works();
  await byPassword.close();
});

test('a password that is changed ends what the old one let in', async () => {
  const { contract } = quickstart;
  const password = randomBytes(12).toString('base64url');
  const old = { password: partner.password };
  const resting = [
    await openSftp(contract, { user: 'partner', ...old }),
    await startSlowDownload('ftp', old),
    await startSlowDownload('https', old),
  ];
  await liveWithinASecond(
    'password changed',
    () => changeAccount(quickstart, partner.id, { password }),
    () => mayEnter({ password }),
  );
  await expectEnded(...resting);
  await mayNotEnter(old);
  for (const target of ['ftp', 'https'] as const) {
    expect((await curl(contract, target, '', { user: 'partner', ...old })).code).not.toBe(0);
    expect(await curl(contract, target, '', { user: 'partner', password })).toMatchObject({ code: 0 });
  }
  partner = { ...partner, password };
});

test('an account that is disabled is out, and in again when it is enabled', async () => {
  const { contract } = quickstart;
  const { password } = partner;
  const open = await openSftp(contract, { user: 'partner', password });
  const transfers = [
    await startSlowDownload('ftp', { password }),
    await startSlowDownload('https', { password }),
  ];
  await liveWithinASecond(
    'account disabled',
    () => changeAccount(quickstart, partner.id, { enabled: false }),
    () => mayNotEnter({ password }),
  );
  await expectEnded(open, ...transfers);
  for (const target of ['ftp', 'ftps', 'https'] as const) {
    expect((await curl(contract, target, '', { user: 'partner', password })).code).not.toBe(0);
  }
  await liveWithinASecond(
    'account enabled',
    () => changeAccount(quickstart, partner.id, { enabled: true }),
    () => mayEnter({ password }),
  );
});

test('an account that is deleted', async () => {
  const { api, contract } = quickstart;
  const { password } = partner;
  const open = await openSftp(contract, { user: 'partner', password });
  const { version } = await api.accounts.get(partner.id);
  await liveWithinASecond(
    'account deleted',
    () => api.accounts.remove(partner.id, version),
    () => mayNotEnter({ password }),
  );
  await expectEnded(open);
});

test('nobody else has noticed', () => bystander.works());
