// Clients that know no TLS, where the policy lets them: ncftp, tnftp, and curl's active mode, which before 8.0 does
// none. Where the policy wants TLS they are refused before they have said their password.
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { viewOf } from '../tls/fixture/zone.ts';
import { servePlain } from './fixture/plain.ts';
import { type Certificates, makeCertificates, serve } from './fixture/served.ts';

vi.setConfig({ testTimeout: 30_000 });

let certificates: Certificates;
beforeAll(async () => {
  certificates = await makeCertificates();
});

const run = promisify(execFile);
type Served = Awaited<ReturnType<typeof servePlain>>;

/** Runs tnftp with commands as if typed, in a folder, and answers all that it said. */
function tnftp(
  served: Served,
  commands: readonly string[],
  mode: 'passive' | 'active' = 'passive',
): Promise<string> {
  const child = spawn(
    'tnftp',
    ['-n', '-v', mode === 'active' ? '-A' : '-p', '127.0.0.1', String(served.port)],
    {
      cwd: served.desk.root,
      env: { ...process.env, HOME: served.desk.root },
    },
  );
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  child.stdin.end(`${commands.join('\n')}\nquit\n`);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve(said));
  });
}

const login = 'user anna "correct horse"';

describe('tnftp', () => {
  test.each(['passive', 'active'] as const)('%s: up, down, appended, resumed, listed', async (mode) => {
    await using served = await servePlain(certificates);
    const bytes = randomBytes(300_000);
    await writeFile(served.path('up.bin'), bytes);
    await writeFile(served.path('down.bin'), bytes.subarray(0, 1_000));
    await writeFile(join(served.desk.home, 'down.bin'), bytes);
    const said = await tnftp(
      served,
      [
        login,
        'binary',
        'mkdir in',
        'cd in',
        'put up.bin a.bin',
        'append up.bin a.bin',
        'ls',
        'rename a.bin b.bin',
        'cd ..',
        'restart 1000',
        'get down.bin',
        'size down.bin',
        'modtime down.bin',
        'features',
        'rstatus',
      ],
      mode,
    );
    expect(
      (await readFile(join(served.desk.home, 'in', 'b.bin'))).equals(Buffer.concat([bytes, bytes])),
    ).toBe(true);
    expect((await readFile(served.path('down.bin'))).equals(bytes)).toBe(true);
    expect(said).toMatch(/-rw.* 600000 .* a\.bin/);
    expect(said).toContain('MLST type*');
    expect(said).not.toMatch(/^(?:4|5)\d\d /m);
  });

  test('lines are those of each side', async () => {
    await using served = await servePlain(certificates);
    await writeFile(served.path('lines'), 'one\ntwo\n');
    await tnftp(served, [login, 'ascii', 'put lines', 'get lines back']);
    expect(await readFile(join(served.desk.home, 'lines'), 'utf8')).toBe('one\ntwo\n');
    expect(await readFile(served.path('back'), 'utf8')).toBe('one\ntwo\n');
  });

  test('hears 530 on USER where TLS is required, whether or not there is such an account', async () => {
    for (const options of [
      { ftp: { plain: true }, view: viewOf({ encryption: 'required' }) },
      { ftp: { plain: false } },
    ]) {
      await using served = await serve(certificates, options);
      for (const user of ['anna', 'nobody']) {
        const said = await tnftp(served, [`user ${user} "correct horse"`]);
        expect(said).toMatch(/^530 .*TLS/m);
        expect(said).not.toMatch(/^331/m);
      }
      expect(served.desk.passwords).toEqual([]);
    }
  });
});

describe('ncftp', () => {
  const account = (served: Served) => ['-u', 'anna', '-p', 'correct horse', '-P', String(served.port)];

  test.each([
    ['passive', '-F'],
    ['active', '-E'],
  ])('%s: a folder up and down again', async (_mode, option) => {
    await using served = await servePlain(certificates);
    await mkdir(served.path('tree/sub'), { recursive: true });
    const bytes = randomBytes(200_000);
    for (const name of ['one', 'two', 'sub/three']) await writeFile(served.path(`tree/${name}`), bytes);
    const env = { ...process.env, HOME: served.desk.root };
    await run('ncftpput', [option, ...account(served), '-R', '-m', '127.0.0.1', 'in', served.path('tree')], {
      env,
    });
    for (const name of ['one', 'two', 'sub/three']) {
      expect((await readFile(join(served.desk.home, 'in/tree', name))).equals(bytes)).toBe(true);
    }
    await mkdir(served.path('back'));
    await run('ncftpget', [option, ...account(served), '-R', '127.0.0.1', served.path('back'), 'in/tree'], {
      env,
    });
    expect((await readFile(served.path('back/tree/sub/three'))).equals(bytes)).toBe(true);
    expect((await run('ncftpls', [...account(served), 'ftp://127.0.0.1/in/tree/'], { env })).stdout).toMatch(
      /one/,
    );
  });

  test('appends', async () => {
    await using served = await servePlain(certificates);
    await writeFile(join(served.desk.home, 'log'), 'one\n');
    await writeFile(served.path('log'), 'two\n');
    const env = { ...process.env, HOME: served.desk.root };
    await run('ncftpput', [...account(served), '-A', '127.0.0.1', '.', served.path('log')], { env });
    expect(await readFile(join(served.desk.home, 'log'), 'utf8')).toBe('one\ntwo\n');
  });
});

describe('curl', () => {
  const curl = (served: Served, file: string, ...args: string[]) =>
    run('curl', [
      '-sS',
      '-m',
      '20',
      '-u',
      'anna:correct horse',
      ...args,
      `ftp://localhost:${served.port}/${file}`,
    ]);

  test.each([
    ['EPRT', '127.0.0.1', ['-4', '--ftp-port', '-']],
    ['PORT', '127.0.0.1', ['-4', '--ftp-port', '-', '--disable-eprt']],
    ['EPRT over IPv6', '::1', ['-6', '--ftp-port', '-']],
    ['EPSV over IPv6', '::1', ['-6']],
    ['PASV', '127.0.0.1', ['-4', '--disable-epsv']],
  ])('%s', async (_way, host, how) => {
    await using served = await servePlain(certificates, { server: { host } });
    const bytes = randomBytes(200_000);
    await writeFile(served.path('up'), bytes);
    await curl(served, 'a', ...how, '-T', served.path('up'));
    expect((await readFile(join(served.desk.home, 'a'))).equals(bytes)).toBe(true);
    await curl(served, 'a', ...how, '-o', served.path('down'));
    expect((await readFile(served.path('down'))).equals(bytes)).toBe(true);
  });
});
