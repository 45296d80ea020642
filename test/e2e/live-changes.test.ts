// An operator changes keys, passwords and accounts while partners are connected. Each change is in force on the node
// within a second of the API's answer, ends the sessions that rest on what is gone, and leaves the others alone.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Account } from '@sallyport/model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, run, temporaryFolder } from '../support/process.ts';
import { curl } from './support/curl.ts';
import { changeAccount, demoOf, type Quickstart, startQuickstart } from './support/quickstart.ts';
import { type OpenSftp, openSftp, sftp } from './support/ssh.ts';

/** The promise of the foundation: a change is live on a connected node in under a second. */
const promisedMs = 1_000;

let quickstart: Quickstart;
let zone: string;
let number = 0;

beforeAll(async () => {
  quickstart = await startQuickstart();
  zone = (await demoOf(quickstart)).zone.id;
}, 60_000);
afterAll(() => quickstart.stop(), 60_000);

const password = 'a password that is long enough';

/** An account of its own for each story, so that their sessions do not meet. */
function newAccount(): Promise<Account> {
  return quickstart.api.accounts.create({ name: `partner${++number}`, zones: [zone], password });
}

async function newKeyFile(): Promise<{ file: string; publicKey: string }> {
  const file = join(temporaryFolder(), 'key');
  const made = await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'story', '-f', file]);
  expect(made.code).toBe(0);
  return { file, publicKey: (await run('cat', [`${file}.pub`])).stdout.trim() };
}

/** Milliseconds until the node says that it runs the change, asked of the public API. */
async function liveAfter(changeSequence: number, answeredAt: number): Promise<number> {
  await eventually(async () =>
    expect(await quickstart.api.propagation(zone, changeSequence)).toMatchObject({ state: 'live' }),
  );
  return performance.now() - answeredAt;
}

/** The server has ended it: sftp notices when it is asked for something. */
const hasEnded = (session: OpenSftp) => expect(session.works()).rejects.toThrow('the session has ended');

describe('a change while partners are connected', () => {
  it('lets a new login key in within a second', async () => {
    const { contract, api } = quickstart;
    const account = await newAccount();
    const key = await newKeyFile();
    const login = { user: account.name, key: key.file };
    expect((await sftp(contract, login, 'pwd\n')).code).not.toBe(0);
    const added = await api.certificates.create({
      source: 'import-ssh-public-key',
      alias: `key-${account.name}`,
      account: account.id,
      publicKey: key.publicKey,
    });
    expect(await liveAfter(added.changeSequence, performance.now())).toBeLessThan(promisedMs);
    expect(await sftp(contract, login, 'pwd\n')).toMatchObject({ code: 0 });
  });

  it('ends the sessions of a disabled account and refuses it on every protocol, and no other', async () => {
    const { contract } = quickstart;
    const account = await newAccount();
    const other = await newAccount();
    await expect
      .poll(() => sftp(contract, { user: other.name, password }, 'pwd\n'))
      .toMatchObject({ code: 0 });
    const session = await openSftp(contract, { user: account.name, password });
    const stays = await openSftp(contract, { user: other.name, password });
    const { changeSequence } = await changeAccount(quickstart, account.id, { enabled: false });
    expect(await liveAfter(changeSequence, performance.now())).toBeLessThan(promisedMs);
    await hasEnded(session);
    await stays.works();
    expect(await stays.close()).toBe(0);
    expect((await sftp(contract, { user: account.name, password }, 'pwd\n')).code).not.toBe(0);
    expect((await curl(contract, 'ftp', '', { user: account.name, password })).code).not.toBe(0);
    expect((await curl(contract, 'https', '', { user: account.name, password })).code).not.toBe(0);
  });

  it('ends the sessions that a replaced password let in, and keeps those of a key', async () => {
    const { contract, api } = quickstart;
    const account = await newAccount();
    const key = await newKeyFile();
    const added = await api.certificates.create({
      source: 'import-ssh-public-key',
      alias: `key-${account.name}`,
      account: account.id,
      publicKey: key.publicKey,
    });
    await liveAfter(added.changeSequence, performance.now());
    const byPassword = await openSftp(contract, { user: account.name, password });
    const byKey = await openSftp(contract, { user: account.name, key: key.file });
    const replaced = await changeAccount(quickstart, account.id, {
      password: 'another password, just as long',
    });
    expect(await liveAfter(replaced.changeSequence, performance.now())).toBeLessThan(promisedMs);
    await hasEnded(byPassword);
    await byKey.works();
    expect(await byKey.close()).toBe(0);
    expect((await sftp(contract, { user: account.name, password }, 'pwd\n')).code).not.toBe(0);
    const renewed = { user: account.name, password: 'another password, just as long' };
    expect(await sftp(contract, renewed, 'pwd\n')).toMatchObject({ code: 0 });
  });

  it('ends the sessions of a revoked key, and never takes that key again', async () => {
    const { contract, api } = quickstart;
    const account = await newAccount();
    const key = await newKeyFile();
    const body = { source: 'import-ssh-public-key', account: account.id, publicKey: key.publicKey } as const;
    const added = await api.certificates.create({ ...body, alias: `key-${account.name}` });
    await liveAfter(added.changeSequence, performance.now());
    const session = await openSftp(contract, { user: account.name, key: key.file });
    const revoked = await api.certificates.revoke(added.id, added.version);
    expect(await liveAfter(revoked.changeSequence, performance.now())).toBeLessThan(promisedMs);
    await hasEnded(session);
    expect((await sftp(contract, { user: account.name, key: key.file }, 'pwd\n')).code).not.toBe(0);
    await expect(api.certificates.create({ ...body, alias: 'again' })).rejects.toMatchObject({
      fault: { code: 'key-revoked' },
    });
  });

  it('shuts out a revoked client certificate on FTPS and HTTPS', async () => {
    const { contract, api } = quickstart;
    const account = await newAccount();
    const issued = await api.certificates.create({
      source: 'issue-login',
      alias: `cert-${account.name}`,
      account: account.id,
      keyType: 'ecdsa-p256',
    });
    await liveAfter(issued.changeSequence, performance.now());
    const folder = temporaryFolder();
    const certificate = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
    writeFileSync(certificate.cert, issued.pem);
    writeFileSync(certificate.key, issued.privateKey ?? '', { mode: 0o600 });
    const login = { user: account.name, certificate };
    expect(await curl(contract, 'ftp', '', login)).toMatchObject({ code: 0 });
    expect(await curl(contract, 'https', '', login)).toMatchObject({ code: 0 });
    const revoked = await api.certificates.revoke(issued.id, issued.version);
    expect(await liveAfter(revoked.changeSequence, performance.now())).toBeLessThan(promisedMs);
    expect((await curl(contract, 'ftp', '', login)).code).not.toBe(0);
    expect((await curl(contract, 'https', '', login)).code).not.toBe(0);
  });

  it('ends everything of a deleted account', async () => {
    const { contract, api } = quickstart;
    const account = await newAccount();
    await expect
      .poll(() => sftp(contract, { user: account.name, password }, 'pwd\n'))
      .toMatchObject({ code: 0 });
    const session = await openSftp(contract, { user: account.name, password });
    const deleted = await api.accounts.remove(account.id, (await api.accounts.get(account.id)).version);
    expect(await liveAfter(deleted.changeSequence, performance.now())).toBeLessThan(promisedMs);
    await hasEnded(session);
    expect((await sftp(contract, { user: account.name, password }, 'pwd\n')).code).not.toBe(0);
  });
});
