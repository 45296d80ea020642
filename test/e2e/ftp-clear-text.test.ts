// Clear text is off until an operator lets it in, for one class alone: clients without TLS then work for that class, and
// everybody else is refused before the password, in words that name TLS, whether the name is known or not.
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { run, temporaryFolder } from '../support/process.ts';
import {
  changeServer,
  type Demo,
  demoOf,
  type Quickstart,
  startQuickstart,
  storedFile,
  untilLive,
} from './support/quickstart.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 90_000 });

let quickstart: Quickstart;
let demo: Demo;
const folder = temporaryFolder();
const content = randomBytes(200_000);

beforeAll(async () => {
  quickstart = await startQuickstart();
  demo = await demoOf(quickstart);
  writeFileSync(join(folder, 'up.bin'), content);
});
afterAll(() => quickstart.stop());

type List = { readonly items: readonly object[]; readonly version: number };
const list = (path: string) => quickstart.api.request({ method: 'GET', path }) as Promise<List>;
const put = async (path: string, items: readonly object[]) =>
  (await quickstart.api.request({
    method: 'PUT',
    path,
    body: { items },
    version: (await list(path)).version,
  })) as { readonly items: readonly { readonly id: string }[]; readonly changeSequence: number };

/** What a client without TLS is told after USER. */
async function greeted(user: string): Promise<string> {
  const { host, port } = quickstart.contract.servers.ftp;
  const { stderr } = await run('curl', ['-sv', '--user', `${user}:x`, `ftp://${host}:${port}/`]);
  return stderr.split('\n').find((line) => /^< (331|530|421|500|550)/.test(line)) ?? stderr;
}

async function tnftp(commands: readonly string[]): Promise<string> {
  const { host, port } = quickstart.contract.servers.ftp;
  const done = await run('tnftp', ['-n', '-v', '-p', host, String(port)], {
    cwd: folder,
    env: { HOME: folder },
    input: `${commands.join('\n')}\nquit\n`,
  });
  return `${done.stdout}${done.stderr}`;
}

test('nobody logs in without TLS by default', async () => {
  for (const user of ['demo', 'nobody-of-that-name']) expect(await greeted(user)).toMatch(/^< 530 .*TLS/);
});

test('a class that may do without TLS does, with tnftp and ncftp; others are refused before the password', async () => {
  const { account, servers } = quickstart.contract;
  const before = await list('/v1/user-classes');
  const classes = await put('/v1/user-classes', [
    { name: 'clear-demo', namePattern: account.name, sources: ['127.0.0.0/8'] },
    ...before.items,
  ]);
  const entries = await list('/v1/ssl-entries');
  await put('/v1/ssl-entries', [
    { userClass: classes.items[0]?.id, encryption: 'optional' },
    ...entries.items,
  ]);
  const { changeSequence } = await changeServer(quickstart, demo.ftp.id, {
    ftp: { ...demo.ftp.ftp, plain: true },
  });
  await untilLive(quickstart, demo.zone.id, changeSequence);

  expect(await greeted('nobody-of-that-name')).toMatch(/^< 530 .*TLS/);
  const said = await tnftp([
    `user ${account.name} "${account.password}"`,
    'binary',
    'put up.bin by-tnftp.bin',
    'get by-tnftp.bin back.bin',
  ]);
  expect(said, said).toContain('230 ');
  expect(await storedFile(quickstart, account.name, 'by-tnftp.bin')).toEqual(content);
  expect(readFileSync(join(folder, 'back.bin'))).toEqual(content);

  const { host, port } = servers.ftp;
  const login = ['-u', account.name, '-p', account.password, '-P', String(port)];
  const sent = await run('ncftpput', [...login, host, '/', join(folder, 'up.bin')], {
    env: { HOME: folder },
  });
  expect(sent).toMatchObject({ code: 0 });
  expect(await storedFile(quickstart, account.name, 'up.bin')).toEqual(content);
});

test('and no longer once the class must use TLS again', async () => {
  const { account } = quickstart.contract;
  const entries = await list('/v1/ssl-entries');
  const { changeSequence } = await put('/v1/ssl-entries', entries.items.slice(1));
  await untilLive(quickstart, demo.zone.id, changeSequence);
  expect(await greeted(account.name)).toMatch(/^< 530 .*TLS/);
});
