import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run, Stage, until } from './fixture/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open({ server: { ssh: { scp: true } } });
});
afterAll(() => stage.close());

const remote = (path: string): string => `demo@127.0.0.1:${path}`;
const scp = (...args: string[]) => run('scp', ['-O', ...stage.options(), '-P', String(stage.port), ...args]);

/** What lies in a folder, by name: content and time in seconds, or what lies in a folder of it. */
async function treeOf(folder: string): Promise<Record<string, unknown>> {
  const tree: Record<string, unknown> = {};
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.name === '.sallyport-staging') continue;
    const path = join(folder, entry.name);
    const { mtimeMs, mode } = await stat(path);
    tree[entry.name] = entry.isDirectory()
      ? await treeOf(path)
      : [await readFile(path, 'latin1'), Math.floor(mtimeMs / 1_000), mode & 0o777];
  }
  return tree;
}

describe('scp -O', () => {
  it('sends and fetches a file, byte by byte the same', async () => {
    const content = randomBytes(3_000_001);
    await writeFile(stage.at('file'), content);
    expect(await scp(stage.at('file'), remote('stored'))).toMatchObject({ code: 0 });
    expect(content.equals(await readFile(join(stage.home, 'stored')))).toBe(true);
    expect(await scp(remote('/stored'), stage.at('fetched'))).toMatchObject({ code: 0 });
    expect(content.equals(await readFile(stage.at('fetched')))).toBe(true);
    const transfers = stage.desk.sessions.flatMap((session) => session.transfers);
    expect(transfers).toEqual([
      { direction: 'upload', path: '/stored', bytes: 3_000_001, outcome: 'completed' },
      { direction: 'download', path: '/stored', bytes: 3_000_001, outcome: 'completed' },
    ]);
  });

  it('keeps a tree with odd names, its times and its modes', async () => {
    const tree = stage.at('tree');
    await mkdir(join(tree, 'deep/er'), { recursive: true });
    await mkdir(join(tree, 'leer ü'));
    const names = ['a b', 'ünï.txt', '-dash', "it's", '$HOME;x', 'deep/empty', 'deep/er/file', 'leer ü/[x]*'];
    for (const [at, name] of names.entries()) {
      await writeFile(join(tree, name), name === 'deep/empty' ? '' : name, { mode: 0o640 });
      await utimes(join(tree, name), 1_600_000_000 + at, 1_500_000_000 + at);
    }
    expect(await scp('-r', '-p', tree, remote('.'))).toMatchObject({ code: 0, stderr: '' });
    expect(await treeOf(join(stage.home, 'tree'))).toEqual(await treeOf(tree));
    expect(await scp('-r', '-p', remote('tree'), stage.at('back'))).toMatchObject({ code: 0, stderr: '' });
    expect(await treeOf(stage.at('back'))).toEqual(await treeOf(tree));
  });

  it('expands patterns, and takes quotes for what they are', async () => {
    await mkdir(join(stage.home, 'many'));
    for (const name of ['a.csv', 'b.csv', 'c.txt', '.d.csv', 'e f.csv']) {
      await writeFile(join(stage.home, 'many', name), name);
    }
    await mkdir(stage.at('matched'));
    expect(await scp(remote('many/*.csv'), stage.at('matched'))).toMatchObject({ code: 0 });
    expect((await readdir(stage.at('matched'))).sort()).toEqual(['a.csv', 'b.csv', 'e f.csv']);
    expect(await scp(remote('many/e\\ f.csv'), stage.at('quoted'))).toMatchObject({ code: 0 });
    expect(await readFile(stage.at('quoted'), 'utf8')).toBe('e f.csv');
  });

  it('is told what it cannot have', async () => {
    await writeFile(stage.at('mine'), 'x');
    const missing = await scp(remote('/none'), stage.at('none'));
    expect(missing.code).not.toBe(0);
    expect(missing.stderr).toContain('/none');
    expect((await scp(stage.at('mine'), remote('/none/below'))).code).not.toBe(0);
    expect((await scp(remote('many'), stage.at('none'))).code).not.toBe(0);
    expect((await scp('-r', remote('../../../../etc/hostname'), stage.at('none'))).code).not.toBe(0);
  });

  it('that is killed while it sends leaves no file', async () => {
    await writeFile(stage.at('cut'), Buffer.alloc(30_000_000, 7));
    const limited = ['-O', '-l', '8000', ...stage.options(), '-P', String(stage.port)];
    const client = spawn('scp', [...limited, stage.at('cut'), remote('cut')], { stdio: 'ignore' });
    const gone = new Promise((resolve) => client.once('close', resolve));
    const staging = join(stage.home, '.sallyport-staging');
    await until(async () => (await readdir(staging).catch(() => [])).length > 0);
    client.kill('SIGKILL');
    await gone;
    await stage.desk.sessions.at(-1)?.closed;
    expect(await readdir(stage.home)).not.toContain('cut');
    expect(stage.desk.sessions.at(-1)?.transfers).toMatchObject([{ path: '/cut', outcome: 'cut' }]);
  });

  it('opens nothing else', async () => {
    for (const command of [
      'id',
      'scp -t /x; id',
      'scp -S id -t x',
      'scp -f $(id)',
      'sftp-server',
      'rsync --server',
    ]) {
      const done = await stage.ssh([command]);
      expect(done.code, command).not.toBe(0);
      expect(done.stdout, command).toBe('');
    }
  });

  it('is refused where the server does not offer it', async () => {
    const own = await Stage.open({ server: { ssh: { scp: false } } });
    const done = await run('scp', [
      '-O',
      ...own.options(),
      '-P',
      String(own.port),
      own.clientKey.file,
      remote('x'),
    ]);
    expect(done.code).not.toBe(0);
    expect(await readdir(own.home)).toEqual([]);
    await own.close();
  });
});

describe('pscp', () => {
  it('sends and fetches', async () => {
    const key = stage.at('putty.ppk');
    const made = await run('puttygen', [stage.clientKey.file, '-o', key, '-O', 'private']);
    expect(made).toMatchObject({ code: 0 });
    const { stdout } = await run('ssh-keygen', ['-l', '-f', stage.at('known_hosts')]);
    const fingerprint = stdout.split(' ')[1] as string;
    const pscp = (...args: string[]) =>
      run('pscp', ['-scp', '-batch', '-hostkey', fingerprint, '-i', key, '-P', String(stage.port), ...args]);
    await writeFile(stage.at('putty'), 'from putty');
    expect(await pscp('-p', stage.at('putty'), remote('putty'))).toMatchObject({ code: 0 });
    expect(await pscp(remote('putty'), stage.at('putty-back'))).toMatchObject({ code: 0 });
    expect(await readFile(stage.at('putty-back'), 'utf8')).toBe('from putty');
  });
});
