// Who logged in, who was refused and exactly why, what was transferred: all of it arrives in the event log, while the
// wire tells nobody why. No password, token or private key is in it, nor anywhere else on a disk in the clear.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StoredEvent } from '@sallyport/model';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { eventually, run, temporaryFolder } from '../support/process.ts';
import { curl, demoCertificate } from './support/curl.ts';
import { makePartner, type Partner } from './support/partner.ts';
import {
  changeAccount,
  changeServer,
  type Demo,
  demoOf,
  type Quickstart,
  startQuickstart,
  untilLive,
} from './support/quickstart.ts';
import { sftp } from './support/ssh.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 90_000 });

let quickstart: Quickstart;
let demo: Demo;
let partner: Partner;
const wrong = 'a-password-that-nobody-has';

beforeAll(async () => {
  quickstart = await startQuickstart();
  demo = await demoOf(quickstart);
  partner = await makePartner(quickstart, demo.zone.id, 'partner');
});
afterAll(() => quickstart.stop());

const position = async (): Promise<number> => (await quickstart.api.events(0)).at(-1)?.position ?? 0;

/** The logins and transfers that an act brings about, all of them; it may take the node a second to deliver them. */
async function eventsOf(count: number, act: () => Promise<unknown>): Promise<StoredEvent[]> {
  const before = await position();
  await act();
  return eventually(async () => {
    const events = (await quickstart.api.events(before)).filter(
      ({ kind }) => kind === 'login' || kind === 'transfer',
    );
    expect(events).toHaveLength(count);
    return events;
  });
}

const known = () => ({ source: '127.0.0.1', zone: demo.zone.id, node: expect.any(String) });

describe.each(['ssh', 'ftp', 'ftps', 'https'] as const)('%s', (door) => {
  const attempt = (user: string, password: string) =>
    door === 'ssh'
      ? sftp(quickstart.contract, { user, password }, 'pwd\n')
      : curl(quickstart.contract, door, '', { user, password });

  test('says why a login was refused, and tells the client nothing', async () => {
    const { password } = quickstart.contract.account;
    const answers: string[] = [];
    const refusals = [
      ['demo', wrong, 'password-wrong'],
      ['nobody', password, 'unknown-account'],
    ] as const;
    const events = await eventsOf(refusals.length, async () => {
      for (const [user, secret] of refusals) {
        const { code, stdout, stderr } = await attempt(user, secret);
        expect(code).not.toBe(0);
        answers.push(`${code} ${stdout} ${stderr}`.replaceAll(user, 'USER'));
      }
    });
    expect(events).toEqual(
      refusals.map(([account, , reason]) =>
        expect.objectContaining({
          ...known(),
          kind: 'login',
          server: demo[door].id,
          account,
          outcome: 'refused',
          reason,
        }),
      ),
    );
    expect(answers[1]).toBe(answers[0]);
  });

  test('knows what a login rested on', async () => {
    const { password, name } = quickstart.contract.account;
    const permitted = {
      ...known(),
      kind: 'login',
      server: demo[door].id,
      account: name,
      outcome: 'permitted',
    };
    const [byPassword] = await eventsOf(1, () => attempt(name, password));
    expect(byPassword).toMatchObject({ ...permitted, reason: 'password' });
    const [byCredential] = await eventsOf(1, () =>
      door === 'ssh'
        ? sftp(quickstart.contract, { key: quickstart.contract.files.sshKey }, 'pwd\n')
        : curl(quickstart.contract, door, '', { certificate: demoCertificate(quickstart.contract) }),
    );
    expect(byCredential).toMatchObject({ ...permitted, reason: 'credential' });
    const certificate = await quickstart.api.certificates.get(String(byCredential?.detail?.certificate));
    expect(certificate.alias).toBe(door === 'ssh' ? 'demo-key' : 'demo-client');
  });

  test('knows what was transferred', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'up.bin');
    writeFileSync(file, Buffer.alloc(123_456, 1));
    const { contract } = quickstart;
    const { password } = contract.account;
    const down = join(folder, 'down.bin');
    const name = `${door}.bin`;
    // Curl logs in for each of the two transfers.
    const events = await eventsOf(door === 'ssh' ? 3 : 4, async () => {
      if (door === 'ssh') {
        await sftp(contract, { password }, `put ${file} ${name}\nget ${name} ${down}\n`);
      } else {
        await curl(contract, door, name, { password }, ['-T', file]);
        await curl(contract, door, name, { password }, ['-o', down]);
      }
    });
    const transfers = events.filter(({ kind }) => kind === 'transfer');
    expect(transfers).toEqual(
      ['upload', 'download'].map((direction) =>
        expect.objectContaining({
          ...known(),
          server: demo[door].id,
          account: 'demo',
          outcome: 'completed',
          detail: {
            session: expect.any(String),
            direction,
            path: `/${name}`,
            bytes: 123_456,
            startedAt: expect.any(String),
            durationMs: expect.any(Number),
          },
        }),
      ),
    );
    const logins = new Set(
      events.filter(({ kind }) => kind === 'login').map(({ detail }) => detail?.session),
    );
    for (const { detail } of transfers) expect(logins).toContain(detail?.session);
  });
});

test('says that an account is disabled, and that a certificate is another account’s', async () => {
  const { contract } = quickstart;
  const { changeSequence } = await changeAccount(quickstart, partner.id, { enabled: false });
  await untilLive(quickstart, demo.zone.id, changeSequence);
  const events = await eventsOf(3, async () => {
    await sftp(contract, { user: 'partner', key: partner.key }, 'pwd\n');
    const { password, certificate } = partner;
    await curl(contract, 'https', '', { user: 'partner', password });
    await curl(contract, 'https', '', { password: contract.account.password, certificate });
  });
  expect(events.map(({ account, outcome, reason }) => [account, outcome, reason])).toEqual([
    ['partner', 'refused', 'account-disabled'],
    ['partner', 'refused', 'account-disabled'],
    ['demo', 'permitted', 'password+credential-foreign'],
  ]);
});

test('no secret is in an event, in a log or in the clear on a disk', async () => {
  const server = await importedServerKey();
  const { changeSequence } = await changeServer(quickstart, demo.https.id, {
    certificates: [server.certificate],
  });
  await untilLive(quickstart, demo.zone.id, changeSequence);
  const { password } = quickstart.contract.account;
  const distrustful = { ...quickstart.contract, files: { ...quickstart.contract.files, ca: server.pem } };
  expect(await curl(distrustful, 'https', '', { password })).toMatchObject({ code: 0 });

  const secrets = new Map<string, Buffer>([
    ['the password', Buffer.from(password)],
    ['a password that was tried', Buffer.from(wrong)],
    ['the password of an account', Buffer.from(partner.password)],
    ['the API token', Buffer.from(quickstart.contract.apiToken)],
    ['the key of the server', server.scalar],
    ['the key of the server in base64', Buffer.from(server.scalar.subarray(0, 30).toString('base64'))],
    ['the key of the server in base64url', Buffer.from(server.scalar.toString('base64url'))],
    ['the key of a client certificate', scalarOf(readFileSync(quickstart.contract.files.clientKey, 'utf8'))],
  ]);
  const found: string[] = [];
  for (const file of filesToSearch()) {
    const content = contentOf(file);
    for (const [name, secret] of secrets) if (content.includes(secret)) found.push(`${name} in ${file}`);
  }
  const said = `${quickstart.process.stderr()}${JSON.stringify(await quickstart.api.events(0))}${JSON.stringify(
    await quickstart.api.audit(0),
  )}`;
  for (const [name, secret] of secrets)
    if (said.includes(secret.toString())) found.push(`${name} in what was said`);
  // The greeting on the terminal shows the demo's password and token, once; nothing after it does.
  const [, ...afterGreeting] = quickstart.process.stdout().split('Stop with Ctrl-C.');
  for (const [name, secret] of secrets) {
    if (afterGreeting.join('').includes(secret.toString())) found.push(`${name} in the log`);
  }
  expect(found).toEqual([]);
});

/** Everything below the home but what is a secret by itself: the contract and its settings, the platform's secrets, the client's files. */
function filesToSearch(): string[] {
  const own = ['quickstart.json', 'settings.json', 'control-plane/secrets.json', 'demo', 'node/files'];
  const files = readdirSync(quickstart.home, { recursive: true, encoding: 'utf8' })
    .filter((path) => !own.some((name) => path === name || path.startsWith(`${name}/`)))
    .map((path) => join(quickstart.home, path))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
  expect(files.length).toBeGreaterThan(8);
  return files;
}

/** Events that have been delivered are removed while we look. */
function contentOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

/** A server certificate whose private key the test knows, imported through the API. */
async function importedServerKey(): Promise<{ certificate: string; pem: string; scalar: Buffer }> {
  const folder = temporaryFolder();
  const [pem, key] = [join(folder, 'server.pem'), join(folder, 'server.key')];
  const request = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '2',
  ];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  expect(await run('openssl', [...request, ...names, '-keyout', key, '-out', pem])).toMatchObject({
    code: 0,
  });
  const privateKey = readFileSync(key, 'utf8');
  const { id } = await quickstart.api.certificates.create({
    source: 'import',
    kind: 'local',
    alias: 'imported',
    zones: [demo.zone.id],
    text: new X509Certificate(readFileSync(pem)).toString() + privateKey,
  });
  return { certificate: id, pem, scalar: scalarOf(privateKey) };
}

/** The secret number of an EC private key. */
function scalarOf(pem: string): Buffer {
  const { d } = createPrivateKey(pem).export({ format: 'jwk' });
  return Buffer.from(d ?? '', 'base64url');
}
