// What partners mount and script HTTPS with: curl on HTTP/1.1 and HTTP/2, resuming in both directions; rclone over
// WebDAV and over plain listings; cadaver with its locks; davfs2 where FUSE is there.
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { eventually, type RunResult, run, temporaryFolder } from '../support/process.ts';
import { curl, startCurl, urlOf } from './support/curl.ts';
import { type Quickstart, startQuickstart, storedFile } from './support/quickstart.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 90_000 });

let quickstart: Quickstart;
const folder = temporaryFolder();
const up = join(folder, 'up.bin');
const bytes = randomBytes(16 << 20);
const sha256 = (content: Uint8Array) => createHash('sha256').update(content).digest('hex');

beforeAll(async () => {
  writeFileSync(up, bytes);
  quickstart = await startQuickstart();
});
afterAll(() => quickstart.stop());

const demo = () => ({ password: quickstart.contract.account.password });
const https = (path: string, ...more: string[]) => curl(quickstart.contract, 'https', path, demo(), more);
const stored = async (name: string) => sha256(await storedFile(quickstart, 'demo', name));

test.each(['--http1.1', '--http2'])(
  'curl %s up, down, in ranges, and not where it has it',
  async (version) => {
    const down = join(folder, `down${version}`);
    expect(await https('v.bin', version, '-T', up)).toMatchObject({ code: 0, stderr: '' });
    expect(await stored('v.bin')).toBe(sha256(bytes));
    const got = await https('v.bin', version, '-o', down, '-w', '%{http_version} %{response_code}');
    expect(got).toMatchObject({ code: 0, stdout: version === '--http2' ? '2 200' : '1.1 200' });
    expect(sha256(readFileSync(down))).toBe(sha256(bytes));
    // A download goes on where it was cut.
    writeFileSync(down, bytes.subarray(0, 5_000_000));
    expect(await https('v.bin', version, '-C', '-', '-o', down)).toMatchObject({ code: 0, stderr: '' });
    expect(sha256(readFileSync(down))).toBe(sha256(bytes));
    const tag = join(folder, `tag${version}`);
    await https('v.bin', version, '-o', down, '--etag-save', tag);
    const again = await https(
      'v.bin',
      version,
      '-o',
      '/dev/null',
      '--etag-compare',
      tag,
      '-w',
      '%{response_code}',
    );
    expect(again.stdout).toBe('304');
  },
);

test('an upload that is cut goes on where it was, and is no file until its last byte', async () => {
  const cut = startCurl(quickstart.contract, 'https', 'cut.bin', demo(), ['-T', up, '--limit-rate', '4M']);
  const staging = join(quickstart.filesOf('demo'), '.sallyport-staging');
  await eventually(async () => expect(await readdir(staging)).toHaveLength(1), { timeoutMs: 20_000 });
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  cut.kill('SIGKILL');
  await cut.exited;
  const offset = await eventually(
    async () => {
      const head = await https('cut.bin', '-I', '-o', '-', '--no-fail', '--http1.1');
      const found = /^upload-offset: (\d+)/im.exec(head.stdout)?.[1];
      expect(Number(found)).toBeGreaterThan(0);
      expect(head.stdout).toContain('404');
      return Number(found);
    },
    { timeoutMs: 20_000 },
  );
  expect((await https('cut.bin', '-o', '/dev/null')).code).not.toBe(0);
  const elsewhere = await https(
    'cut.bin',
    '-T',
    up,
    '-C',
    String(offset + 1),
    '-o',
    '/dev/null',
    '-w',
    '%{response_code}',
  );
  expect(elsewhere.stdout).toBe('416');
  expect(await https('cut.bin', '-T', up, '-C', String(offset))).toMatchObject({ code: 0 });
  expect(await stored('cut.bin')).toBe(sha256(bytes));
});

/** Runs rclone with the demo's login; `:dav:` and `:http:` in the arguments name the server. */
async function rclone(...args: string[]): Promise<RunResult> {
  const { account, files } = quickstart.contract;
  const url = urlOf(quickstart.contract, 'https', '');
  const obscured = (await run('rclone', ['obscure', account.password])).stdout.trim();
  const dav = `:webdav,url='${url}',vendor=other,user=${account.name},pass='${obscured}':`;
  const login = `${account.name}:${encodeURIComponent(account.password)}@`;
  const plain = `:http,url='${url.replace('://', `://${login}`)}':`;
  return run('rclone', [
    ...['--config', '/dev/null', '--ca-cert', files.ca, '--retries', '1'],
    ...args.map((arg) => arg.replace(':dav:', dav).replace(':http:', plain)),
  ]);
}

test('rclone syncs both ways, renames, and reads the listing of the page', async () => {
  const from = join(folder, 'tree');
  const to = join(folder, 'tree-back');
  mkdirSync(join(from, 'a b/ü & <ö>'), { recursive: true });
  for (let count = 0; count < 30; count++) writeFileSync(join(from, `a b/${count}.txt`), `${count}`);
  writeFileSync(join(from, 'a b/ü & <ö>/%20#?.bin'), bytes.subarray(0, 300_000));
  const done = { code: 0 };
  expect(await rclone('sync', from, ':dav:tree')).toMatchObject(done);
  expect(await rclone('check', from, ':dav:tree', '--download')).toMatchObject(done);
  expect(await rclone('moveto', ':dav:tree/a b/7.txt', ':dav:tree/a b/seven.txt')).toMatchObject(done);
  expect(await rclone('move', ':dav:tree/a b/ü & <ö>', ':dav:tree/moved')).toMatchObject(done);
  expect(await rclone('sync', ':dav:tree', to)).toMatchObject(done);
  expect((await readdir(join(to, 'a b'))).length).toBe(30);
  expect(sha256(readFileSync(join(to, 'moved/%20#?.bin')))).toBe(sha256(bytes.subarray(0, 300_000)));
  writeFileSync(join(to, 'a b/1.txt'), 'changed');
  expect(await rclone('sync', to, ':dav:tree')).toMatchObject(done);
  expect((await storedFile(quickstart, 'demo', 'tree/a b/1.txt')).toString()).toBe('changed');

  const listed = await rclone('lsf', ':http:tree/a b');
  expect(listed.stdout.split('\n')).toHaveLength(31);
  const copied = join(folder, 'copied');
  expect(await rclone('copy', ':http:tree/a b', copied)).toMatchObject(done);
  expect((await readdir(copied)).length).toBe(30);
  expect(await rclone('purge', ':dav:tree')).toMatchObject(done);
  await expect(readdir(join(quickstart.filesOf('demo'), 'tree'))).rejects.toThrow();
});

test('cadaver locks what it edits, and others wait for it', async () => {
  const { account } = quickstart.contract;
  const home = join(folder, 'cadaver');
  await mkdir(home);
  const { host } = new URL(urlOf(quickstart.contract, 'https', ''));
  writeFileSync(
    join(home, '.netrc'),
    `machine ${host.split(':')[0]} login ${account.name} password ${account.password}\n`,
    { mode: 0o600 },
  );
  const commands = [
    'mkcol cadaver',
    'cd cadaver',
    `put ${up} c.bin`,
    'lock c.bin',
    'discover c.bin',
    'copy c.bin d.bin',
    'unlock c.bin',
    'move d.bin e.bin',
    'delete c.bin',
    'ls',
    'quit',
  ];
  // It asks on its terminal whether a certificate that its library does not know shall do.
  const client = `cadaver ${urlOf(quickstart.contract, 'https', '')}`;
  const done = await run('script', ['-qec', client, '/dev/null'], {
    input: `y\n${commands.join('\n')}\n`,
    env: { HOME: home },
  });
  expect(done.stdout).not.toMatch(/failed|could not|rejected/i);
  expect(done.stdout).toMatch(/e\.bin/);
  expect(await readdir(join(quickstart.filesOf('demo'), 'cadaver'))).toEqual(['e.bin']);
});
