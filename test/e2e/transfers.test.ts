// A partner moves 64 MiB of random bytes up and down again with every stock client there is, by key, by password, by
// keyboard-interactive and by client certificate, over SFTP, explicit and implicit FTPS and HTTPS. Not a byte differs,
// and every client has checked whom it talked to.
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { temporaryFolder } from '../support/process.ts';
import { type CurlTarget, curl, demoCertificate } from './support/curl.ts';
import { lftp } from './support/lftp.ts';
import { type Quickstart, startQuickstart, storedFile } from './support/quickstart.ts';
import { type SshLogin, sftp } from './support/ssh.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 90_000 });

let quickstart: Quickstart;
const folder = temporaryFolder();
const up = join(folder, 'up.bin');
const down = join(folder, 'down.bin');
const bytes = randomBytes(64 << 20);

beforeAll(async () => {
  writeFileSync(up, bytes);
  quickstart = await startQuickstart();
});
afterAll(() => quickstart.stop());

/** What lies on the node and what came back are what was sent. */
async function expectIdentical(): Promise<void> {
  expect(bytes.equals(await storedFile(quickstart, 'demo', 'big.bin'))).toBe(true);
  expect(bytes.equals(readFileSync(down))).toBe(true);
  await rm(down);
  await rm(join(quickstart.filesOf('demo'), 'big.bin'));
}

const sshLogins: Record<string, (quickstart: Quickstart) => SshLogin> = {
  key: ({ contract }) => ({ key: contract.files.sshKey }),
  password: ({ contract }) => ({ password: contract.account.password }),
  'keyboard-interactive': ({ contract }) => ({
    password: contract.account.password,
    methods: 'keyboard-interactive',
  }),
};

test.each(Object.entries(sshLogins))('sftp with %s', async (_name, login) => {
  const batch = `put ${up} big.bin\nget big.bin ${down}\n`;
  const done = await sftp(quickstart.contract, login(quickstart), batch, 50_000);
  expect(done).toMatchObject({ code: 0 });
  await expectIdentical();
});

test.each([
  ['ftp', 'password'],
  ['ftp', 'certificate'],
  ['ftps', 'password'],
  ['ftps', 'certificate'],
  ['https', 'password'],
  ['https', 'certificate'],
] as const)('curl over %s with %s', async (target: CurlTarget, proof) => {
  const { contract } = quickstart;
  const login =
    proof === 'password'
      ? { password: contract.account.password }
      : { certificate: demoCertificate(contract) };
  expect(await curl(contract, target, 'big.bin', login, ['-T', up])).toMatchObject({ code: 0, stderr: '' });
  expect(await curl(contract, target, 'big.bin', login, ['-o', down])).toMatchObject({ code: 0, stderr: '' });
  await expectIdentical();
});

test.each([
  ['ftp', 'password'],
  ['ftp', 'certificate'],
  ['ftps', 'password'],
] as const)('lftp over %s with %s', async (target, proof) => {
  const { contract } = quickstart;
  const login =
    proof === 'password'
      ? { password: contract.account.password }
      : { certificate: demoCertificate(contract) };
  const done = await lftp(contract, target, login, `put ${up} -o big.bin; get big.bin -o ${down}`);
  expect(done).toMatchObject({ code: 0, stderr: '' });
  await expectIdentical();
});

test('no client accepts a server that it cannot verify', async () => {
  const { contract } = quickstart;
  const stranger = join(folder, 'known_hosts');
  const [address] = readFileSync(contract.files.knownHosts, 'utf8').split(' ');
  const other = readFileSync(`${contract.files.sshKey}.pub`, 'utf8').split(' ').slice(0, 2).join(' ');
  writeFileSync(stranger, `${address} ${other}\n`);
  const refused = await sftp(contract, { key: contract.files.sshKey, knownHosts: stranger }, 'pwd\n');
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain('Host key verification failed');

  // Another certificate of the same CA, which signed nobody.
  const distrustful = { ...contract, files: { ...contract.files, ca: contract.files.clientCert } };
  const login = { password: contract.account.password };
  for (const target of ['ftp', 'ftps', 'https'] as const) {
    expect(await curl(distrustful, target, '', login)).toMatchObject({ code: 60 });
  }
  const lost = await lftp(distrustful, 'ftp', login, 'cls');
  expect(lost.code).not.toBe(0);
  expect(lost.stderr).toContain('Certificate verification');
});
