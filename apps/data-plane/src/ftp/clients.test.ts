import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { viewOf } from '../tls/fixture/zone.ts';
import { type Certificates, makeCertificates, serve } from './fixture/served.ts';

vi.setConfig({ testTimeout: 60_000 });

let certificates: Certificates;
beforeAll(async () => {
  certificates = await makeCertificates();
});

const anna = ['-u', 'anna:correct horse'];
/** Once in full size with each client; the rest differs in the handshake, not in the stream. */
const sizeFor = (kind: string): number => (kind === 'explicit' ? 64 << 20 : 8 << 20);

describe.each([
  ['explicit', { explicitTls: true }],
  ['implicit', { implicitTls: true }],
] as const)('%s TLS', (kind, ftp) => {
  const large = sizeFor(kind);

  test.each(['1.2', '1.3'])('curl carries a large file both ways on TLS %s', async (version) => {
    await using served = await serve(certificates, { ftp });
    const bytes = randomBytes(large);
    await writeFile(served.path('up'), bytes);
    const only = [`--tlsv${version}`, '--tls-max', version];
    await served.curl('big.bin', ...anna, ...only, '-T', served.path('up'));
    expect((await readFile(join(served.desk.home, 'big.bin'))).equals(bytes)).toBe(true);
    await served.curl('big.bin', ...anna, ...only, '-o', served.path('down'));
    expect((await readFile(served.path('down'))).equals(bytes)).toBe(true);
    expect(served.desk.reports).toEqual([
      { direction: 'upload', path: '/big.bin', bytes: large, outcome: 'completed' },
      { direction: 'download', path: '/big.bin', bytes: large, outcome: 'completed' },
    ]);
  });

  test('lftp carries a large file both ways', async () => {
    await using served = await serve(certificates, { ftp });
    const bytes = randomBytes(large);
    await writeFile(served.path('up'), bytes);
    await served.lftp(`put ${served.path('up')} -o big.bin; get big.bin -o ${served.path('down')}`);
    expect((await readFile(join(served.desk.home, 'big.bin'))).equals(bytes)).toBe(true);
    expect((await readFile(served.path('down'))).equals(bytes)).toBe(true);
  });
});

test('lftp works with files: lists, makes, renames, removes, in parallel', async () => {
  await using served = await serve(certificates);
  await writeFile(served.path('up'), 'hello');
  const listed = await served.lftp(
    [
      `mkdir in; cd in; put ${served.path('up')} -o 'a b.txt'; mv 'a b.txt' c.txt; ls; cls -1`,
      'set ftp:use-mlsd no; rels; renlist; cd ..; rm in/c.txt; rmdir in; cls -1',
    ].join('; '),
  );
  expect(listed.stdout.match(/c\.txt/g)?.length).toBeGreaterThanOrEqual(4);
  expect(listed.stdout).toMatch(/-rw-------.* 5 .* c\.txt/);
  for (let i = 0; i < 20; i++) await writeFile(join(served.desk.home, `f${i}`), `file ${i}`);
  await served.lftp(`lcd ${served.desk.root}; mget -P 4 f*`);
  for (let i = 0; i < 20; i++) expect(await readFile(served.path(`f${i}`), 'utf8')).toBe(`file ${i}`);
});

test('lftp (GnuTLS) and curl (OpenSSL) verify an Ed25519 and an ECDSA certificate, in either order', async () => {
  for (const identities of [
    [certificates.edwards, certificates.server],
    [certificates.server, certificates.edwards],
    [certificates.edwards],
  ]) {
    await using served = await serve(certificates, { identities });
    await writeFile(join(served.desk.home, 'seen'), '');
    expect((await served.lftp('cls -1')).stdout).toContain('seen');
    expect((await served.curl('', ...anna, '-l')).stdout.toString()).toBe('seen\n');
  }
});

test('curl lists in each format', async () => {
  await using served = await serve(certificates);
  await writeFile(join(served.desk.home, 'a.txt'), 'hello', { mode: 0o640 });
  expect((await served.curl('', ...anna)).stdout.toString()).toMatch(/^-rw-r----- .* 5 .* a\.txt\n$/);
  expect((await served.curl('', ...anna, '-l')).stdout.toString()).toBe('a.txt\n');
  expect((await served.curl('', ...anna, '-X', 'MLSD')).stdout.toString()).toMatch(
    /^type=file;size=5;modify=\d{14};perm=adfrw;unique=[\w-]+;UNIX.mode=0640; a\.txt\n$/,
  );
});

test('curl resumes a download, converts lines, makes folders and does without EPSV', async () => {
  await using served = await serve(certificates);
  await writeFile(join(served.desk.home, 'a.txt'), 'one\ntwo\n');
  await writeFile(served.path('lines'), 'x\ny\n');
  expect((await served.curl('a.txt', ...anna, '-C', '4')).stdout.toString()).toBe('two\n');
  expect((await served.curl('a.txt;type=a', ...anna)).stdout.toString()).toBe('one\ntwo\n');
  await served.curl('new/deep/b.txt;type=a', ...anna, '--ftp-create-dirs', '-T', served.path('lines'));
  expect(await readFile(join(served.desk.home, 'new/deep/b.txt'), 'utf8')).toBe('x\ny\n');
  expect((await served.curl('new/deep/b.txt', ...anna, '--disable-epsv')).stdout.toString()).toBe('x\ny\n');
});

describe('logins', () => {
  const certificate = (served: { path: (name: string) => string }) => [
    '--cert',
    served.path('anna.pem'),
    '--key',
    served.path('anna.key'),
  ];

  test('a wrong password is refused', async () => {
    await using served = await serve(certificates);
    await expect(served.curl('', '-u', 'anna:wrong')).rejects.toMatchObject({ code: 67 });
    await expect(served.curl('', '-u', 'nobody:wrong')).rejects.toMatchObject({ code: 67 });
  });

  test('optional: the certificate alone logs in, and so does the password alone', async () => {
    await using served = await serve(certificates, { server: { clientCertificate: 'optional' } });
    await writeFile(join(served.desk.home, 'seen'), '');
    for (const login of [[...certificate(served), '-u', 'anna:'], anna]) {
      expect((await served.curl('', ...login, '-l')).stdout.toString()).toBe('seen\n');
    }
    expect(served.desk.passwords).toEqual(['correct horse']);
  });

  test('required: without an acceptable certificate 421 directly after the handshake', async () => {
    await using served = await serve(certificates, { server: { clientCertificate: 'required' } });
    await writeFile(join(served.desk.home, 'seen'), '');
    const login = [...certificate(served), '-u', 'anna:'];
    expect((await served.curl('', ...login, '-l')).stdout.toString()).toBe('seen\n');
    await expect(served.curl('', ...anna)).rejects.toThrow();
    expect(served.desk.passwords).toEqual([]);
    expect(served.notices).toMatchObject([{ outcome: 'refused', reason: 'credential-missing' }]);
    served.setView(viewOf({ cas: [certificates.ca] }));
    await expect(served.curl('', ...login)).rejects.toThrow();
    expect(served.notices.at(-1)).toMatchObject({ outcome: 'refused', reason: 'credential-invalid' });
  });

  test('a server certificate of another authority is refused by the client', async () => {
    await using served = await serve(certificates);
    await writeFile(served.path('ca.pem'), certificates.stranger.pem);
    await expect(served.curl('', ...anna)).rejects.toMatchObject({ code: 60 });
    expect(served.desk.passwords).toEqual([]);
  });
});
