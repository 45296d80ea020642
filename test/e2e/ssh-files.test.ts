// Partners move folders of files with odd names with every stock client there is, over SFTP and SCP, and go on with what
// was cut. Names, bytes and, where a client keeps them, times come back as they were.
import { randomBytes } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type RunResult, temporaryFolder } from '../support/process.ts';
import {
  changeServer,
  demoOf,
  type Quickstart,
  startQuickstart,
  storedFile,
  untilLive,
} from './support/quickstart.ts';
import { sftp, startSftp } from './support/ssh.ts';
import { curlOverSsh, lftpOverSsh, treeClients, withSshfs } from './support/ssh-clients.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 90_000 });

let quickstart: Quickstart;
const folder = temporaryFolder();
const tree = join(folder, 'tree');

const files: Readonly<Record<string, Buffer>> = {
  'plain.txt': Buffer.from('plain\n'),
  'with spaces .txt': Buffer.from('spaces'),
  'Ünïcödé 漢字 🚀.bin': randomBytes(100_000),
  '-rf': Buffer.from('a dash'),
  "it's $HOME; `id` & [b]*": Buffer.from('a shell would trip'),
  '#%41+?': Buffer.from('a URL would trip'),
  '.hidden': Buffer.from('hidden'),
  empty: Buffer.alloc(0),
  'deep/er/and deeper/file': randomBytes(70_000),
  'deep/exactly-a-block': randomBytes(32_768),
};

beforeAll(async () => {
  for (const [at, [name, content]] of Object.entries(files).entries()) {
    const path = join(tree, name);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, content, { mode: 0o600 });
    await utimes(path, 1_500_000_000 + at, 1_600_000_000 + at);
  }
  await mkdir(join(tree, 'an empty folder'));
  quickstart = await startQuickstart();
  const { ssh, zone } = await demoOf(quickstart);
  const changed = await changeServer(quickstart, ssh.id, { ssh: { ...ssh.ssh, scp: true } });
  await untilLive(quickstart, zone.id, changed.changeSequence);
});
afterAll(() => quickstart.stop());

/** Fails with what the client said unless it ended well. */
function succeeded({ code, stdout, stderr }: RunResult): void {
  if (code !== 0) throw new Error(`ended with ${code}: ${stderr}${stdout}`);
}

/** Content, and times in seconds where they count, by path; folders by their path alone. */
async function contentsOf(
  top: string,
  times: 'kept' | 'not-kept',
  below = '',
): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(join(top, below), { withFileTypes: true })) {
    const path = join(below, entry.name);
    if (entry.isDirectory()) {
      found[`${path}/`] = '';
      Object.assign(found, await contentsOf(top, times, path));
    } else {
      const { mtimeMs } = await stat(join(top, path));
      const time = times === 'kept' ? ` ${Math.floor(mtimeMs / 1_000)}` : '';
      found[path] = `${(await readFile(join(top, path))).toString('base64')}${time}`;
    }
  }
  return found;
}

describe('a folder of odd names', () => {
  test.each(Object.entries(treeClients))('goes up and down with %s', async (client, { times, up, down }) => {
    const name = `by-${client.replaceAll(' ', '-')}`;
    const back = join(folder, name);
    succeeded(await up(quickstart.contract, tree, name));
    expect(await contentsOf(join(quickstart.filesOf('demo'), name), times)).toEqual(
      await contentsOf(tree, times),
    );
    succeeded(await down(quickstart.contract, name, back));
    expect(await contentsOf(back, times)).toEqual(await contentsOf(tree, times));
  });

  test('file by file with curl', async () => {
    for (const [name, content] of Object.entries(files)) {
      const path = encodeURIComponent(`curl-${name.replaceAll('/', '-')}`);
      const back = join(folder, 'curl-back');
      succeeded(await curlOverSsh(quickstart.contract, ['-T', join(tree, name)], path));
      succeeded(await curlOverSsh(quickstart.contract, ['-o', back], path));
      expect(content.equals(await readFile(back)), name).toBe(true);
    }
  });

  const fuse = (() => {
    try {
      accessSync('/dev/fuse', constants.R_OK | constants.W_OK);
      return true;
    } catch {
      return false;
    }
  })();

  test.runIf(fuse)('is worked on through sshfs', async () => {
    await withSshfs(quickstart.contract, async (mount) => {
      const at = (name: string) => join(mount, 'mounted', name);
      await mkdir(join(mount, 'mounted'));
      for (const [name, content] of Object.entries(files)) {
        if (name.includes('/')) continue;
        await writeFile(at(name), content);
        expect(content.equals(await readFile(at(name))), name).toBe(true);
      }
      await copyFile(at('plain.txt'), at('copy'));
      await truncate(at('copy'), 3);
      expect(await readFile(at('copy'), 'utf8')).toBe('pla');
      expect(await readdir(join(mount, 'mounted'))).toContain('Ünïcödé 漢字 🚀.bin');
    });
  });
});

test('files are renamed, linked, copied, dated and removed with OpenSSH', async () => {
  const login = { key: quickstart.contract.files.sshKey };
  const batch = [
    `put "${join(tree, 'plain.txt')}" one`,
    'rename one two',
    'ln two hard',
    'cp two copied',
    'chmod 640 copied',
    '-rename nothing something',
    '-ln -s /etc/passwd soft',
    'mkdir made',
    'rename made moved',
    'rmdir moved',
    'df -h',
    'ls -l',
    'rm two',
  ];
  const done = await sftp(quickstart.contract, login, `${batch.join('\n')}\n`);
  expect(done).toMatchObject({ code: 0 });
  expect(done.stdout).toMatch(/-rw-r-----.* copied/);
  expect(await storedFile(quickstart, 'demo', 'hard')).toEqual(files['plain.txt']);
  expect(await storedFile(quickstart, 'demo', 'copied')).toEqual(files['plain.txt']);
  const left = await readdir(quickstart.filesOf('demo'));
  for (const gone of ['one', 'two', 'soft', 'made', 'moved']) expect(left).not.toContain(gone);
});

describe('an upload that was cut', () => {
  const whole = join(folder, 'whole');
  const content = randomBytes(6_000_000);
  beforeAll(() => writeFile(whole, content));

  /** Kills a client in the middle of an upload; what it has sent waits out of sight. */
  async function cut(name: string): Promise<void> {
    const login = { key: quickstart.contract.files.sshKey, options: ['-l', '16000'] };
    const staging = join(quickstart.filesOf('demo'), '.sallyport-staging');
    const sizes = async () => {
      const names = await readdir(staging).catch(() => []);
      return Promise.all(names.map(async (one) => (await stat(join(staging, one))).size));
    };
    const client = startSftp(quickstart.contract, login, `put ${whole} ${name}\n`);
    await vi.waitFor(async () => expect(Math.max(...(await sizes()))).toBeGreaterThan(1_000_000), 20_000);
    client.kill('SIGKILL');
    await client.exited;
    const fetched = () => sftp(quickstart.contract, { key: login.key }, `ls -l ${name}\n`);
    await vi.waitFor(async () => expect((await fetched()).code).toBe(0), 10_000);
    expect(await readdir(quickstart.filesOf('demo'))).not.toContain(name);
  }

  const goOn: Record<string, (name: string) => Promise<RunResult>> = {
    'sftp reput': (name) =>
      sftp(quickstart.contract, { key: quickstart.contract.files.sshKey }, `reput ${whole} ${name}\n`),
    'lftp put -c': (name) => lftpOverSsh(quickstart.contract, `put -c ${whole} -o ${name}`),
    'curl -C -': (name) => curlOverSsh(quickstart.contract, ['-C', '-', '-T', whole], name),
  };

  test.each(Object.entries(goOn))('is finished by %s', async (client, finish) => {
    const name = `resumed-${client.replaceAll(' ', '')}`;
    await cut(name);
    succeeded(await finish(name));
    expect(content.equals(await storedFile(quickstart, 'demo', name))).toBe(true);
  });
});
