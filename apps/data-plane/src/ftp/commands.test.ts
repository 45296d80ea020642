// Commands on files that are answered on the control connection, on a real file system.
import { createHash } from 'node:crypto';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { all, loggedInPlain, servePlain } from './fixture/plain.ts';
import { type Certificates, makeCertificates, RawClient, serve } from './fixture/served.ts';

vi.setConfig({ testTimeout: 30_000 });

let certificates: Certificates;
beforeAll(async () => {
  certificates = await makeCertificates();
});

test('digests of a file and of parts of it', async () => {
  await using served = await servePlain(certificates);
  const content = Buffer.alloc((1 << 20) + 17, 'sally');
  await writeFile(join(served.desk.home, 'a b'), content);
  const digest = (bytes: Buffer, algorithm = 'sha256') => createHash(algorithm).update(bytes).digest('hex');
  const client = await loggedInPlain(served.port);
  expect(await client.say('HASH a b')).toBe(`213 SHA-256 0-${content.length} ${digest(content)} /a b`);
  expect(await client.say('OPTS HASH SHA-512')).toBe('200 SHA-512');
  expect(await client.say('HASH a b')).toContain(digest(content, 'sha512'));
  expect(await client.say('XSHA256 a b')).toBe(`250 ${digest(content).toUpperCase()}`);
  expect(await client.say('XSHA256 "a b" 3 9')).toBe(`250 ${digest(content.subarray(3, 9)).toUpperCase()}`);
  expect(await client.say('XSHA256 "a b" 9 3')).toMatch(/^501/);
  expect(await client.say(`XSHA256 "a b" 0 ${content.length + 1}`)).toMatch(/^501/);
  expect(await client.say('HASH missing')).toMatch(/^550/);
  expect(await client.say('HASH /')).toMatch(/^550/);
});

test('times and modes', async () => {
  await using served = await servePlain(certificates);
  const path = join(served.desk.home, 'a');
  await writeFile(path, '');
  const client = await loggedInPlain(served.port);
  expect(await client.say('MFMT 20200102030405 a')).toBe('213 Modify=20200102030405; /a');
  expect(await client.say('MDTM a')).toBe('213 20200102030405');
  expect(await client.say('SITE UTIME 20210102030405 a')).toMatch(/^213/);
  expect((await stat(path)).mtimeMs).toBe(Date.UTC(2021, 0, 2, 3, 4, 5));
  expect(await client.say('SITE CHMOD 640 a')).toMatch(/^200/);
  expect((await stat(path)).mode & 0o7777).toBe(0o640);
  expect(await client.say('SITE CHMOD 4755 a')).toMatch(/^504/);
  expect(await client.say('SITE CHMOD 640 ../../etc/passwd')).toMatch(/^550/);
  expect(await client.say('AVBL')).toMatch(/^213 \d+$/);
});

test('STAT of a path lists it, and STAT alone says how things are', async () => {
  await using served = await servePlain(certificates);
  await mkdir(join(served.desk.home, 'd'));
  await writeFile(join(served.desk.home, 'd', 'x'), 'x');
  const client = await loggedInPlain(served.port);
  expect(await client.say('STAT d')).toMatch(/^213-.*\r\n -rw.* x\r\n213 End\.$/);
  expect(await client.say('STAT missing')).toMatch(/^550/);
  expect(await client.say('STAT')).toMatch(/^211-Status:[\s\S]*not encrypted/);
});

test('facts: two names of a file are one, and what may be done shows', async () => {
  await using served = await servePlain(certificates);
  await writeFile(join(served.desk.home, 'a'), 'x');
  const client = await loggedInPlain(served.port);
  const facts = await client.say('MLST a');
  expect(facts).toMatch(/type=file;size=1;modify=\d{14};perm=adfrw;unique=[\w-]+;UNIX.mode=\d{4}; \/a\r\n/);
  expect(await client.say('MLST /')).toContain('type=dir;');
});

test('a transfer says how far it is, and its end keeps its place', async () => {
  await using served = await servePlain(certificates);
  const client = await loggedInPlain(served.port);
  const data = await client.data();
  expect(await client.say('STOR a')).toMatch(/^150/);
  expect(await client.say('STAT')).toBe('213 0 bytes so far.');
  data.write('x'.repeat(1_000));
  await expect.poll(() => client.say('STAT'), { timeout: 10_000 }).toBe('213 1000 bytes so far.');
  data.end();
  expect(await client.reply()).toMatch(/^226/);
  expect(await client.say('STAT')).toMatch(/^211/);
});

test('ABOR with the Telnet signals that clients send before it', async () => {
  await using served = await servePlain(certificates);
  const client = await loggedInPlain(served.port);
  await client.data();
  expect(await client.say('STOR a')).toMatch(/^150/);
  // IAC IP IAC DM, of which the urgent DM may be lost on the way.
  client.socket.write(Buffer.from([0xff, 0xf4, 0xff]));
  client.socket.write(Buffer.from([0xf2]));
  client.socket.write('ABOR\r\n');
  expect(await client.reply()).toMatch(/^426/);
  expect(await client.reply()).toMatch(/^226/);
  await client.data();
  expect(await client.say('STOR a')).toMatch(/^150/);
  client.socket.write(Buffer.from([0xff, 0xf4, 0xff]));
  client.socket.write('ABOR\r\n');
  expect(await client.reply()).toMatch(/^426/);
  expect(await client.reply()).toMatch(/^226/);
});

test('REIN ends the session, and another may log in', async () => {
  await using served = await servePlain(certificates);
  const client = await loggedInPlain(served.port);
  await client.say('MKD d');
  await client.say('CWD d');
  expect(await client.say('REIN')).toMatch(/^220/);
  expect(served.desk.sessions[0]?.closed).toBe(true);
  expect(await client.say('PWD')).toMatch(/^530/);
  await client.logIn();
  expect(await client.say('PWD')).toContain('"/"');
  expect(served.desk.sessions[1]?.closed).toBe(false);
});

test('HOST follows the name that the handshake was for', async () => {
  await using served = await serve(certificates);
  const raw = await RawClient.connect(served.port);
  await raw.reply();
  expect(await raw.say('HOST anything.example')).toMatch(/^220/);
  const client = await raw.secure(certificates.ca);
  expect(await client.say('HOST other.example')).toMatch(/^504/);
  expect(await client.say('HOST localhost')).toMatch(/^220/);
  await client.logIn();
  expect(await client.say('HOST localhost')).toMatch(/^503/);
  expect(await client.say('CCC')).toMatch(/^534/);
  expect(await client.say('REIN')).toMatch(/^502/);
});

test('what FEAT names is served', async () => {
  await using served = await servePlain(certificates);
  await writeFile(join(served.desk.home, 'a'), 'x');
  const client = await loggedInPlain(served.port);
  const features = (await client.say('FEAT')).split('\r\n').slice(1, -1);
  const examples: Readonly<Record<string, string>> = {
    AUTH: 'AUTH TLS-X',
    AVBL: 'AVBL',
    CLNT: 'CLNT test',
    EPRT: 'EPRT x',
    EPSV: 'EPSV',
    HASH: 'HASH a',
    HOST: 'HOST x',
    MDTM: 'MDTM a',
    MFMT: 'MFMT x',
    MLST: 'MLST a',
    PASV: 'PASV',
    PBSZ: 'PBSZ 0',
    PROT: 'PROT P',
    REST: 'REST 0',
    SITE: 'SITE HELP',
    SIZE: 'SIZE a',
    UTF8: 'OPTS UTF8 ON',
    XSHA256: 'XSHA256 a',
  };
  for (const feature of features) {
    const word = feature.trim().split(' ')[0] as string;
    if (word === 'TVFS') continue;
    expect(Object.keys(examples)).toContain(word);
    expect(await client.say(examples[word] as string), feature).not.toMatch(/^50[02] /);
  }
});

test('names in one byte a character, until the client asks for UTF-8', async () => {
  await using served = await servePlain(certificates, { ftp: { nameEncoding: 'latin-1' } });
  const client = await loggedInPlain(served.port);
  client.socket.write(Buffer.from('MKD \xfcber\r\n', 'latin1'));
  expect(await client.reply()).toBe('257 "/\xfcber" created.');
  expect(await readdir(served.desk.home)).toEqual(['über']);
  const listed = await client.data();
  listed.setEncoding('latin1');
  await client.say('NLST');
  expect(await all(listed)).toBe('\xfcber\r\n');
  expect(await client.reply()).toMatch(/^226/);
  expect(await client.say('OPTS UTF8 ON')).toMatch(/^200/);
  client.socket.write(Buffer.from('RMD über\r\n', 'utf8'));
  expect(await client.reply()).toMatch(/^250/);
});
