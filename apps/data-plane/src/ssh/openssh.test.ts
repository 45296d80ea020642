import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeHostKey, Stage, until } from './fixture/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open({
    hostKeys: [makeHostKey('ed25519'), makeHostKey('ecdsa-p256'), makeHostKey('rsa')],
  });
});
afterAll(() => stage.close());

const digest = async (file: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(file))
    .digest('hex');

/** Random bytes of a length, quickly: one block over and over, each time with its number. */
async function writeLarge(file: string, mebibytes: number): Promise<void> {
  const block = randomBytes(1024 * 1024);
  const parts = Array.from({ length: mebibytes }, (_, i) => {
    const part = Buffer.from(block);
    part.writeUInt32BE(i);
    return part;
  });
  await writeFile(file, Buffer.concat(parts));
}

describe('OpenSSH', () => {
  it('sends and fetches 64 MiB, byte by byte the same', { timeout: 60_000 }, async () => {
    await writeLarge(stage.at('large'), 64);
    const done = await stage.sftp(`put ${stage.at('large')} large\nget large ${stage.at('fetched')}\n`);
    expect(done).toMatchObject({ code: 0 });
    expect(await digest(join(stage.home, 'large'))).toBe(await digest(stage.at('large')));
    expect(await digest(stage.at('fetched'))).toBe(await digest(stage.at('large')));
    const session = stage.desk.sessions.at(-1);
    await session?.closed;
    const bytes = 64 * 1024 * 1024;
    expect(session?.transfers).toEqual([
      { direction: 'upload', path: '/large', bytes, outcome: 'completed' },
      { direction: 'download', path: '/large', bytes, outcome: 'completed' },
    ]);
    expect(session?.proofs).toEqual(['credential']);
  });

  it.each([
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'chacha20-poly1305@openssh.com',
    'aes128-ctr',
    'aes192-ctr',
    'aes256-ctr',
  ])('speaks %s', async (cipher) => {
    await writeLarge(stage.at(`c-${cipher}`), 1);
    const file = stage.at(`c-${cipher}`);
    const done = await stage.sftp(`put ${file} x\nget x ${file}.back\n`, stage.clientKey, '-c', cipher);
    expect(done).toMatchObject({ code: 0 });
    expect(await digest(`${file}.back`)).toBe(await digest(file));
  });

  it.each([
    ...[
      'sntrup761x25519-sha512@openssh.com',
      'curve25519-sha256',
      'curve25519-sha256@libssh.org',
      'diffie-hellman-group16-sha512',
    ].map((name) => `KexAlgorithms=${name}`),
    ...['ssh-ed25519', 'ecdsa-sha2-nistp256', 'rsa-sha2-512', 'rsa-sha2-256'].map(
      (name) => `HostKeyAlgorithms=${name}`,
    ),
    ...[
      'hmac-sha2-256-etm@openssh.com',
      'hmac-sha2-512-etm@openssh.com',
      'hmac-sha2-256',
      'hmac-sha2-512',
    ].map((name) => `MACs=${name}`),
  ])('negotiates %s', async (option) => {
    const extra = option.startsWith('MACs') ? ['-c', 'aes128-ctr'] : [];
    expect(await stage.sftp('pwd\n', stage.clientKey, '-o', option, ...extra)).toMatchObject({ code: 0 });
  });

  it.each([
    'HostKeyAlgorithms=ssh-rsa',
    'KexAlgorithms=diffie-hellman-group14-sha1',
    'KexAlgorithms=ecdh-sha2-nistp256',
    'KexAlgorithms=diffie-hellman-group-exchange-sha256',
    'Ciphers=aes128-cbc',
    'MACs=hmac-sha1',
  ])('does not negotiate %s', async (option) => {
    const extra = option.startsWith('MACs') ? ['-c', 'aes128-ctr'] : [];
    const done = await stage.sftp('pwd\n', stage.clientKey, '-o', option, ...extra);
    expect(done.code).not.toBe(0);
    expect(done.stderr).toMatch(/no matching|Unable to negotiate/);
  });

  it.each([
    ['ed25519', '-t', 'ed25519'],
    ['ecdsa-256', '-t', 'ecdsa', '-b', '256'],
    ['ecdsa-384', '-t', 'ecdsa', '-b', '384'],
    ['ecdsa-521', '-t', 'ecdsa', '-b', '521'],
    ['rsa-2048', '-t', 'rsa', '-b', '2048'],
  ])('logs in with a key of type %s', async (name, ...args) => {
    const key = await stage.makeKey(`key-${name}`, ...args);
    const own = await Stage.open({ accounts: () => ({ demo: { keys: [key.blob] } }) });
    try {
      expect(await own.sftp('pwd\n', key)).toMatchObject({ code: 0, stdout: expect.stringContaining('/') });
      if (name.startsWith('rsa')) {
        const logged = await own.sftp('pwd\n', key, '-vv');
        expect(logged.stderr).toContain('rsa-sha2-512');
        expect(logged.stderr).toMatch(
          /server-sig-algs=<ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256>/,
        );
        expect(logged.stderr).toMatch(/Server accepts key.*RSA/);
        const sha1 = await own.sftp('pwd\n', key, '-o', 'PubkeyAcceptedAlgorithms=ssh-rsa');
        expect(sha1.code).not.toBe(0);
      }
    } finally {
      await own.close();
    }
  });

  it('is refused with a key of nobody, and let in with a weak key where it is registered', async () => {
    expect((await stage.sftp('pwd\n', stage.otherKey)).stderr).toContain(
      'Permission denied (publickey,password,keyboard-interactive)',
    );
    const weak = await stage.makeKey('weak', '-t', 'rsa', '-b', '1024');
    const own = await Stage.open({ accounts: () => ({ demo: { keys: [weak.blob] } }) });
    expect((await own.sftp('pwd\n', weak)).code).toBe(0);
    expect((await stage.sftp('pwd\n', weak)).code).not.toBe(0);
    await own.close();
  });

  it('keeps names, times and modes', async () => {
    const name = 'Übung mit Leerzeichen.txt';
    await writeFile(stage.at(name), 'text', { mode: 0o640 });
    const batch = [
      `put -p "${stage.at(name)}"`,
      'mkdir folder',
      `rename "${name}" "folder/${name}"`,
      'chmod 600 folder/*',
      'ls -l folder',
      `get -p "folder/${name}" ${stage.at('again')}`,
      '-rename folder nowhere/folder',
      `rm "folder/${name}"`,
      'rmdir folder',
    ];
    const done = await stage.sftp(`${batch.join('\n')}\n`);
    expect(done).toMatchObject({ code: 0, stdout: expect.stringContaining('-rw-------') });
    expect((await stat(stage.at('again'))).mtime.getTime()).toBeCloseTo(
      (await stat(stage.at(name))).mtime.getTime(),
      -4,
    );
    expect(await readdir(stage.home)).not.toContain('folder');
  });

  it('lists 500 entries', async () => {
    await mkdir(join(stage.home, 'many'));
    const names = Array.from({ length: 500 }, (_, i) => `entry-${String(i).padStart(4, '0')}`);
    await Promise.all(names.map((name) => writeFile(join(stage.home, 'many', name), '')));
    const done = await stage.sftp('ls -1 many\n');
    const listed = done.stdout
      .split('\n')
      .flatMap((line) => (line.startsWith('many/') ? [line.slice(5)] : []));
    expect(listed.sort()).toEqual(names);
  });

  it('sends and fetches 1,000 small files', { timeout: 60_000 }, async () => {
    await mkdir(stage.at('small'));
    await Promise.all(
      Array.from({ length: 1_000 }, (_, i) => writeFile(join(stage.at('small'), `f${i}`), `file ${i}`)),
    );
    const done = await stage.sftp(`put -r ${stage.at('small')}\nget -r small ${stage.at('small-back')}\n`);
    expect(done).toMatchObject({ code: 0 });
    for (let i = 0; i < 1_000; i++) {
      expect(await readFile(join(stage.at('small-back'), `f${i}`), 'utf8')).toBe(`file ${i}`);
    }
  });

  it('gets no shell, command, other subsystem or forwarding', async () => {
    for (const args of [['id'], ['-T'], ['-s', 'other']]) {
      const done = await stage.ssh(args);
      expect(done.code, args.join(' ')).not.toBe(0);
      expect(done.stdout).toBe('');
    }
    const forward = await stage.ssh(
      ['-N'],
      stage.clientKey,
      '-R',
      '0:127.0.0.1:1',
      '-o',
      'ExitOnForwardFailure=yes',
    );
    expect(forward.code).not.toBe(0);
    const through = await stage.ssh(['-W', '127.0.0.1:1']);
    expect(through.code).not.toBe(0);
  });

  it('is refused SFTP where the server does not offer it', async () => {
    const own = await Stage.open({ server: { ssh: { sftp: false, scp: false } } });
    const done = await own.sftp('pwd\n');
    expect(done.code).not.toBe(0);
    expect(done.stderr).toContain('subsystem request failed');
    await own.close();
  });

  it('that is killed while it sends leaves no file', async () => {
    await writeLarge(stage.at('cut'), 64);
    const { child, ended } = stage.startSftp(`put ${stage.at('cut')} cut\n`, '-l', '20000');
    const before = stage.desk.sessions.length;
    await until(() => stage.desk.sessions.length > before);
    const session = stage.desk.sessions.at(-1);
    await until(async () =>
      (await readdir(stage.home, { recursive: true })).some((n) => /^\.[^/]*\/./.test(n)),
    );
    child.kill('SIGKILL');
    await ended;
    await session?.closed;
    expect(session?.transfers).toMatchObject([{ direction: 'upload', path: '/cut', outcome: 'cut' }]);
    expect(await readdir(stage.home)).not.toContain('cut');
  });

  it('changes keys in the middle of a transfer', { timeout: 60_000 }, async () => {
    const file = stage.at('to-rekey');
    // OpenSSH's client spends far more on each of its key exchanges than we do.
    await writeLarge(file, 24);
    const done = await stage.sftp(
      `put ${file} rekeyed\nget rekeyed ${stage.at('rekeyed')}\n`,
      stage.clientKey,
      '-o',
      'RekeyLimit=4M',
    );
    expect(done).toMatchObject({ code: 0 });
    expect(await digest(stage.at('rekeyed'))).toBe(await digest(file));
  });
});
