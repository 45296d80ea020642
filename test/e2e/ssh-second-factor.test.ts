// A partner with an authenticator app: the code follows the password over SSH, FTPS and HTTPS, in whatever way the client
// asks for it. A key needs none, unless the class does.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { everyone } from '@sallyport/model';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { run, temporaryFolder } from '../support/process.ts';
import { type Authenticator, authenticatorOf } from './support/authenticator.ts';
import { curl } from './support/curl.ts';
import { makePartner, type Partner } from './support/partner.ts';
import {
  changeAccount,
  type Demo,
  demoOf,
  type Quickstart,
  startQuickstart,
  untilLive,
} from './support/quickstart.ts';
import { openSftp, sftp } from './support/ssh.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 150_000 });

let quickstart: Quickstart;
let demo: Demo;

beforeAll(async () => {
  quickstart = await startQuickstart();
  demo = await demoOf(quickstart);
});
afterAll(() => quickstart?.stop());

/** A partner with an authenticator app that has read the URI of the enrolment. */
async function enrolled(
  name: string,
  kind: Parameters<Quickstart['api']['accounts']['setSecondFactor']>[1] = {},
): Promise<Partner & { readonly app: Authenticator }> {
  const partner = await makePartner(quickstart, demo.zone.id, name);
  const { uri, changeSequence } = await quickstart.api.accounts.setSecondFactor(partner.id, kind);
  await untilLive(quickstart, demo.zone.id, changeSequence);
  return { ...partner, app: authenticatorOf(uri) };
}

test('OpenSSH: after the method password, and within keyboard-interactive', async () => {
  const { name: user, password, app } = await enrolled('openssh');
  const { contract } = quickstart;
  for (const methods of ['password,keyboard-interactive', 'keyboard-interactive']) {
    const code = await app.next();
    expect(await sftp(contract, { user, password, code, methods }, 'pwd\n')).toMatchObject({ code: 0 });
  }
  const wrong = { user, password, code: '000000', methods: 'keyboard-interactive' };
  expect((await sftp(contract, wrong, 'pwd\n')).code).not.toBe(0);
  // A code that somebody has looked at over the shoulder is spent.
  const spent = { user, password, code: app.again(), methods: 'keyboard-interactive' };
  expect((await sftp(contract, spent, 'pwd\n')).code).not.toBe(0);
  const alone = await sftp(contract, { user, password, methods: 'password' }, 'pwd\n');
  expect(alone.code).not.toBe(0);
  expect(alone.stderr).toContain('keyboard-interactive');
});

test('paramiko and asyncssh answer both questions', async () => {
  const { name, password, app } = await enrolled('python', { algorithm: 'SHA256', digits: 8 });
  const { host, port } = quickstart.contract.servers.ssh;
  const program = (lines: readonly string[]): string => {
    const file = join(temporaryFolder(), 'login.py');
    writeFileSync(file, `${lines.join('\n')}\n`);
    return file;
  };
  const success = { code: 0, stderr: '' };
  const environment = async () => ({
    HOST: host,
    PORT: String(port),
    LOGIN: name,
    PASSWORD: password,
    CODE: await app.next(),
    KNOWN: quickstart.contract.files.knownHosts,
  });
  const paramiko = program([
    'import os, paramiko',
    'e = os.environ',
    'client = paramiko.SSHClient()',
    'client.load_host_keys(e["KNOWN"])',
    'client._policy = paramiko.RejectPolicy()',
    'transport = paramiko.Transport((e["HOST"], int(e["PORT"])))',
    'transport.start_client(timeout=20)',
    'assert transport.auth_password(e["LOGIN"], e["PASSWORD"], fallback=False) == ["keyboard-interactive"]',
    'asked = []',
    'def answer(title, instructions, prompts):',
    '    asked.extend(text for text, echo in prompts)',
    '    return [e["CODE"] for _ in prompts]',
    'transport.auth_interactive(e["LOGIN"], answer)',
    'assert asked == ["Verification code: "], asked',
    'print(paramiko.SFTPClient.from_transport(transport).listdir("."))',
    'transport.close()',
  ]);
  expect(
    await run('/usr/bin/python3', ['-W', 'ignore', paramiko], { env: await environment() }),
  ).toMatchObject(success);

  const asyncssh = program([
    'import asyncio, asyncssh, os',
    'e = os.environ',
    'class Client(asyncssh.SSHClient):',
    '    def kbdint_auth_requested(self): return ""',
    '    def kbdint_challenge_received(self, name, instructions, lang, prompts):',
    '        return [e["CODE"] if "code" in text else e["PASSWORD"] for text, echo in prompts]',
    'async def main():',
    '    connection, _ = await asyncssh.create_connection(Client, e["HOST"], int(e["PORT"]),',
    '        username=e["LOGIN"], known_hosts=e["KNOWN"], client_keys=None, config=None,',
    '        preferred_auth="keyboard-interactive")',
    '    async with connection, connection.start_sftp_client() as sftp:',
    '        print(await sftp.listdir("."))',
    'asyncio.run(main())',
  ]);
  expect(
    await run('/usr/bin/python3', ['-W', 'ignore', asyncssh], { env: await environment() }),
  ).toMatchObject(success);
});

test('FTPS by ACCT, HTTPS by a header', async () => {
  const { name: user, password, app } = await enrolled('curl');
  const { contract } = quickstart;
  expect((await curl(contract, 'ftp', '', { user, password })).code).not.toBe(0);
  const account = async () => ['--ftp-account', await app.next()];
  expect(await curl(contract, 'ftp', '', { user, password }, await account())).toMatchObject({ code: 0 });
  const header = async () => ['--header', `Sallyport-OTP: ${await app.next()}`];
  expect(await curl(contract, 'https', '', { user, password }, await header())).toMatchObject({ code: 0 });
  expect((await curl(contract, 'https', '', { user, password })).code).not.toBe(0);
});

test('a key needs no code until its class does; who has none is then refused, and told why in the log', async () => {
  const { api, contract } = quickstart;
  const { name: user, key, id, app } = await enrolled('by-key');
  expect(await sftp(contract, { user, key }, 'pwd\n')).toMatchObject({ code: 0 });

  const { version } = await api.loginSettings();
  await api.changeLoginSettings({ secondFactorClasses: [everyone.id] }, version);
  const group = await changeAccount(quickstart, id, { groups: ['waited-for'] });
  await untilLive(quickstart, demo.zone.id, group.changeSequence);
  const methods = 'publickey,keyboard-interactive';
  expect((await sftp(contract, { user, key }, 'pwd\n')).code).not.toBe(0);
  const code = await app.next();
  const both = await sftp(contract, { user, key, password: 'never asked for', code, methods }, 'pwd\n');
  expect(both).toMatchObject({ code: 0 });

  expect((await sftp(contract, { key: contract.files.sshKey }, 'pwd\n')).code).not.toBe(0);
  await vi.waitFor(
    async () =>
      expect((await api.events(0)).map(({ reason }) => reason)).toEqual(
        expect.arrayContaining(['second-factor-missing', 'credential+second-factor']),
      ),
    { timeout: 15_000, interval: 200 },
  );
  const settings = await api.loginSettings();
  await api.changeLoginSettings({ secondFactorClasses: [] }, settings.version);
});

test('a session that a code let in ends when the factor is taken away', async () => {
  const { api, contract } = quickstart;
  const { name: user, password, id, app } = await enrolled('ended');
  const login = { user, password, code: await app.next(), methods: 'password,keyboard-interactive' };
  const session = await openSftp(contract, login);
  await session.works();
  await api.accounts.removeSecondFactor(id, (await api.accounts.get(id)).version);
  await vi.waitFor(
    async () => expect((await api.events(0)).map(({ reason }) => reason)).toContain('second-factor-gone'),
    { timeout: 15_000, interval: 200 },
  );
  await expect(session.works()).rejects.toThrow('the session has ended');
  const again = await openSftp(contract, { user, password });
  await again.close();
});
