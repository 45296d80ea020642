// curl moves files over FTP with TLS: explicit and implicit, both versions, passive in the old and the new form, resumed
// both ways, appended, with and without a client certificate. (Of curl before 8.0 active mode sends its data in clear
// whatever was agreed; ftp-clients and the clear-text tests show active mode.)
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { eventually, run, temporaryFolder } from '../support/process.ts';
import { curl, demoCertificate, startCurl, type TlsLogin } from './support/curl.ts';
import { placeFile, type Quickstart, startQuickstart, storedFile } from './support/quickstart.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 90_000 });

let quickstart: Quickstart;
const folder = temporaryFolder();
const up = join(folder, 'up.bin');
const down = join(folder, 'down.bin');
const bytes = randomBytes(300_000);
let password: TlsLogin;

beforeAll(async () => {
  writeFileSync(up, bytes);
  quickstart = await startQuickstart();
  password = { password: quickstart.contract.account.password };
});
afterAll(() => quickstart.stop());

const clean = { code: 0, stderr: '' };

/** Runs curl on a path of the demo account; it must succeed. */
async function transfer(target: 'ftp' | 'ftps', path: string, more: readonly string[], login = password) {
  const done = await curl(quickstart.contract, target, path, login, more);
  expect(done).toMatchObject(clean);
  return done.stdout;
}

/** Size of the largest of the files that are in the folder or wait, unfinished, below it. */
const largestFile = (top: string): number =>
  Math.max(
    0,
    ...readdirSync(top, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(join(entry.parentPath, entry.name)).size),
  );

describe.each(['ftp', 'ftps'] as const)('%s', (target) => {
  describe.each(['1.2', '1.3'])('TLS %s', (version) => {
    const only = [`--tlsv${version}`, '--tls-max', version];

    test.each([
      ['EPSV', []],
      ['PASV', ['--disable-epsv']],
    ])('%s carries a file both ways', async (_way, how) => {
      await transfer(target, 'a.bin', [...only, ...how, '-T', up]);
      expect((await storedFile(quickstart, 'demo', 'a.bin')).equals(bytes)).toBe(true);
      await transfer(target, 'a.bin', [...only, ...how, '-o', down]);
      expect(readFileSync(down).equals(bytes)).toBe(true);
      expect(await transfer(target, '', [...only, ...how, '--list-only'])).toContain('a.bin');
    });

    test('a client certificate logs in without a password', async () => {
      await transfer(target, 'c.bin', [...only, '-T', up], {
        certificate: demoCertificate(quickstart.contract),
      });
      expect((await storedFile(quickstart, 'demo', 'c.bin')).equals(bytes)).toBe(true);
    });
  });

  test('a download is resumed', async () => {
    await placeFile(quickstart, 'demo', 'whole.bin', bytes);
    writeFileSync(down, bytes.subarray(0, 123_456));
    await transfer(target, 'whole.bin', ['-C', '-', '-o', down]);
    expect(readFileSync(down).equals(bytes)).toBe(true);
  });

  test('an upload that was cut is resumed, and only then there', async () => {
    const large = randomBytes(4 << 20);
    writeFileSync(join(folder, 'large'), large);
    const slow = ['--limit-rate', '2M', '-T', join(folder, 'large')];
    const running = startCurl(quickstart.contract, target, 'cut.bin', password, slow);
    await eventually(() => expect(largestFile(quickstart.filesOf('demo'))).toBeGreaterThan(1_000_000), {
      timeoutMs: 20_000,
    });
    running.kill('SIGKILL');
    await running.exited;
    await expect(storedFile(quickstart, 'demo', 'cut.bin')).rejects.toThrow();
    const there = await eventually(async () => {
      const head = await curl(quickstart.contract, target, 'cut.bin', password, ['-I']);
      const size = Number(/Content-Length: (\d+)/.exec(head.stdout)?.[1]);
      expect(size).toBeGreaterThan(0);
      return size;
    });
    expect(there).toBeLessThan(large.length);
    await transfer(target, 'cut.bin', ['-C', '-', '-T', join(folder, 'large')]);
    expect((await storedFile(quickstart, 'demo', 'cut.bin')).equals(large)).toBe(true);
    await rm(join(quickstart.filesOf('demo'), 'cut.bin'));
  });

  test('an upload is appended', async () => {
    await placeFile(quickstart, 'demo', 'log', 'one\n');
    writeFileSync(join(folder, 'more'), 'two\n');
    await transfer(target, 'log', ['--append', '-T', join(folder, 'more')]);
    expect((await storedFile(quickstart, 'demo', 'log')).toString()).toBe('one\ntwo\n');
  });
});

test('lines are those of the file here and of the wire there', async () => {
  writeFileSync(join(folder, 'lines'), 'x\ny\n');
  await transfer('ftp', 'lines;type=a', ['-T', join(folder, 'lines')]);
  expect((await storedFile(quickstart, 'demo', 'lines')).toString()).toBe('x\ny\n');
  expect(await transfer('ftp', 'lines;type=a', [])).toBe('x\ny\n');
});

test.each(['multicwd', 'nocwd', 'singlecwd'])('folders are entered by %s', async (method) => {
  const path = `${method}/deep/er/a.bin`;
  await transfer('ftp', `${method}/deep/er/first`, ['--ftp-create-dirs', '-T', up]);
  await transfer('ftp', path, ['--ftp-method', method, '-T', up]);
  await transfer('ftp', path, ['--ftp-method', method, '-o', down]);
  expect(readFileSync(down).equals(bytes)).toBe(true);
});

test('commands before and after a transfer', async () => {
  await placeFile(quickstart, 'demo', 'old', 'x');
  const before = [
    '-Q',
    'RNFR old',
    '-Q',
    'RNTO new',
    '-Q',
    'SITE CHMOD 640 new',
    '-Q',
    'MFMT 20200102030405 new',
  ];
  await transfer('ftp', '', [...before, '-Q', '*REIN', '-Q', '-MKD made', '-Q', '-HASH new', '-o', down]);
  const renamed = await stat(join(quickstart.filesOf('demo'), 'new'));
  expect(renamed.mode & 0o777).toBe(0o640);
  expect(renamed.mtimeMs).toBe(Date.UTC(2020, 0, 2, 3, 4, 5));
  expect((await stat(join(quickstart.filesOf('demo'), 'made'))).isDirectory()).toBe(true);
  await transfer('ftp', 'new', ['--remote-time', '-o', down]);
  expect((await stat(down)).mtimeMs).toBe(Date.UTC(2020, 0, 2, 3, 4, 5));
});

test('never in clear: not the login, not the data', async () => {
  const { contract } = quickstart;
  const { host, port } = contract.servers.ftp;
  const login = ['-u', `${contract.account.name}:${contract.account.password}`];
  const clear = await run('curl', ['-sSv', ...login, `ftp://${host}:${port}/`]);
  expect(clear.code).not.toBe(0);
  expect(clear.stderr).toMatch(/< 530 .*TLS/);
  expect(clear.stderr).not.toContain('> PASS');
  const unprotected = await curl(contract, 'ftp', '', password, ['--ssl-reqd', '-Q', 'PROT C']);
  expect(unprotected.code).not.toBe(0);
});
