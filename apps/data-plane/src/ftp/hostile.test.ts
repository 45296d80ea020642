// What a hostile client tries: standard answers, the process up, nothing outside the home, no part of a file.
import { once } from 'node:events';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import type tls from 'node:tls';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { all, loggedInPlain, servePlain } from './fixture/plain.ts';
import { type Certificates, makeCertificates, RawClient, serve } from './fixture/served.ts';

vi.setConfig({ testTimeout: 30_000 });

let certificates: Certificates;
beforeAll(async () => {
  certificates = await makeCertificates();
});

const serverLimits = {
  connectionsPerMinutePerAddress: 600,
  maxConnections: 10,
  maxConnectionsPerAddress: 10,
  loginGraceSeconds: 60,
  idleSeconds: 60,
  maxAuthAttempts: 3,
};

async function connected(port: number): Promise<RawClient> {
  const client = await RawClient.connect(port);
  await client.reply();
  return client;
}

describe('a line', () => {
  test('of 64 KB, of NUL or of bytes that are no UTF-8 is refused, and the next one is read', async () => {
    await using served = await servePlain(certificates);
    const client = await loggedInPlain(served.port);
    expect(await client.say(`MKD ${'x'.repeat(65_536)}`)).toMatch(/^500/);
    expect(await client.say('MKD a\0b')).toMatch(/^553/);
    client.socket.write(Buffer.from('MKD \xff\xfe\xc3\r\n', 'latin1'));
    // IAC, which Telnet would take for a command, is no part of UTF-8 either way.
    expect(await client.reply()).toMatch(/^501/);
    client.socket.write(Buffer.from('MKD \xc3\x28\r\n', 'latin1'));
    expect(await client.reply()).toMatch(/^501/);
    client.socket.write(Buffer.from('MKD \xed\xa0\x80\r\n', 'latin1'));
    expect(await client.reply()).toMatch(/^501/);
    expect(await client.say(`MKD ${'é'.repeat(128)}`)).toMatch(/^553/);
    expect(await readdir(served.desk.home)).toEqual([]);
    expect(await client.say('NOOP')).toMatch(/^200/);
  });

  test('that hides another behind a CR makes one name, and no client command or reply', async () => {
    await using served = await servePlain(certificates);
    const client = await loggedInPlain(served.port);
    await writeFile(join(served.desk.home, 'keep'), 'x');
    expect(await client.say('MKD a\rDELE keep')).toMatch(/^257 "\/a\?DELE keep"/);
    expect(await client.say('NOOP')).toMatch(/^200/);
    expect(await readdir(served.desk.home)).toContain('keep');
  });

  test('with Telnet sequences in it is read without them', async () => {
    await using served = await servePlain(certificates);
    const client = await loggedInPlain(served.port);
    const sequences = [0xff, 0xfb, 0x01, 0xff, 0xfa, 0x18, 0x01, 0xff, 0xf0, 0xff, 0xf4];
    client.socket.write(
      Buffer.from([...sequences, ...Buffer.from('NO'), 0xff, 0xf1, ...Buffer.from('OP\r\n')]),
    );
    expect(await client.reply()).toMatch(/^200/);
    // A subnegotiation without an end hides its own line and nothing more.
    client.socket.write(Buffer.from([0xff, 0xfa, ...Buffer.from('DELE a\r\nNOOP\r\n')]));
    expect(await client.reply()).toMatch(/^500/);
    expect(await client.reply()).toMatch(/^200/);
  });

  test('of another protocol ends the connection soon', async () => {
    await using served = await serve(certificates);
    const client = await connected(served.port);
    client.socket.write(`POST / HTTP/1.1\r\n${'X-Header: 1\r\n'.repeat(20)}\r\nUSER anna\r\n`);
    const answers = [];
    for (let answer = await client.reply(); answer !== 'closed'; answer = await client.reply())
      answers.push(answer);
    expect(answers.at(-1)).toMatch(/^421/);
    expect(answers.join()).not.toMatch(/331|530/);
  });

  test('that asks how a transfer goes is answered out of turn only while the answers are read', async () => {
    await using served = await servePlain(certificates);
    const client = await loggedInPlain(served.port);
    const data = await client.data();
    expect(await client.say('STOR a')).toMatch(/^150/);
    client.socket.write('STAT\r\n'.repeat(2_000));
    expect(await client.reply()).toBe('213 0 bytes so far.');
    data.end('x');
    let outOfTurn = 1;
    let answer = await client.reply();
    for (; answer.startsWith('213'); answer = await client.reply()) outOfTurn++;
    expect(answer).toMatch(/^226/);
    expect(outOfTurn).toBeLessThan(20);
    for (let left = 2_000 - outOfTurn; left > 0; left--) expect(await client.reply()).toMatch(/^211/);
    expect(await client.say('NOOP')).toMatch(/^200/);
  });

  test('that begins the connection anew gives no more time to log in', async () => {
    await using served = await servePlain(certificates, {
      server: { limits: { ...serverLimits, loginGraceSeconds: 1 } },
    });
    const client = await connected(served.port);
    const deadline = performance.now() + 10_000;
    let answer = await client.say('REIN');
    while (answer.startsWith('220') && performance.now() < deadline) answer = await client.say('REIN');
    expect(answer).toMatch(/^421|^closed/);
  });

  test('more than are read at once wait in the socket, and none is lost', async () => {
    await using served = await servePlain(certificates);
    const client = await loggedInPlain(served.port);
    client.socket.write('NOOP\r\n'.repeat(5_000));
    for (let i = 0; i < 5_000; i++) expect(await client.reply()).toMatch(/^200/);
  });
});

test('no verb leads out of the home', async () => {
  await using served = await servePlain(certificates);
  await writeFile(join(served.desk.root, 'outside'), 'secret');
  await mkdir(join(served.desk.root, 'out'));
  const client = await loggedInPlain(served.port);
  const outside = [
    '../outside',
    '/../outside',
    'a/../../outside',
    '..//./../outside',
    '/./../anna/../outside',
  ];
  const verbs = ['SIZE', 'MDTM', 'MLST', 'STAT', 'DELE', 'RMD', 'RNFR', 'HASH', 'XSHA256', 'CWD'];
  const more = ['MFMT 20200101000000', 'SITE CHMOD 777', 'SITE UTIME 20200101000000'];
  for (const path of outside) {
    for (const verb of [...verbs, ...more]) {
      expect(await client.say(`${verb} ${path}`), `${verb} ${path}`).toMatch(/^550/);
    }
    for (const verb of ['RETR', 'LIST', 'NLST', 'MLSD']) {
      await client.passive();
      expect(await client.say(`${verb} ${path}`), `${verb} ${path}`).toMatch(/^550/);
    }
  }
  // `..` of the root is the root: what is made there is made inside.
  for (const [verb, name] of [
    ['STOR', 'stored'],
    ['APPE', 'appended'],
    ['STOU', 'unique'],
  ]) {
    const data = await client.data();
    expect(await client.say(`${verb} ../../${name}`)).toMatch(/^150/);
    data.end('x');
    expect(await client.reply()).toMatch(/^226/);
  }
  expect(await client.say('MKD ../made')).toBe('257 "/made" created.');
  await client.say('RNFR stored');
  expect(await client.say('RNTO ../../renamed')).toMatch(/^250/);
  const inside = (await readdir(served.desk.home)).map((name) => name.split('.')[0]).sort();
  expect(inside.filter((name) => name !== '')).toEqual(['appended', 'made', 'renamed', 'unique']);
  expect(await readFile(join(served.desk.root, 'outside'), 'utf8')).toBe('secret');
  expect((await stat(join(served.desk.root, 'outside'))).mode & 0o111).toBe(0);
});

describe('TLS', () => {
  test('a client cannot make the server renegotiate', async () => {
    await using served = await serve(certificates);
    const raw = await connected(served.port);
    const client = await raw.secure(certificates.ca, { maxVersion: 'TLSv1.2' });
    await client.logIn();
    const socket = client.socket as tls.TLSSocket;
    const outcome = await new Promise<string>((resolve) => {
      socket.once('close', () => resolve('closed'));
      if (socket.renegotiate({}, (error) => resolve(error ? 'refused' : 'done')) === false)
        resolve('refused');
    });
    expect(outcome).not.toBe('done');
    const after = await (await connected(served.port)).secure(certificates.ca);
    await after.logIn();
  });

  test('commands that follow AUTH TLS in one packet, with the handshake behind them, are not carried out', async () => {
    await using served = await servePlain(certificates);
    const client = await connected(served.port);
    client.socket.write('USER anna\r\nAUTH TLS\r\nPASS correct horse\r\nMKD injected\r\nQUIT\r\n');
    expect(await client.reply()).toMatch(/^331/);
    expect(await client.reply()).toMatch(/^234/);
    const secured = await client.handshake(certificates.ca);
    expect(await secured.say('PASS correct horse')).toMatch(/^503/);
    await secured.logIn();
    expect(await readdir(served.desk.home)).toEqual([]);
  });

  test('data in clear on a protected transfer is no file', async () => {
    await using served = await serve(certificates);
    const client = await (await connected(served.port)).secure(certificates.ca);
    await client.logInSecured();
    const data = await client.data();
    await client.say('STOR a');
    data.end('content in clear');
    expect(await client.reply()).toMatch(/^425/);
    expect(await readdir(served.desk.home)).not.toContain('a');
  });
});

describe('data connections', () => {
  test('a stranger who is first gets nothing and gives nothing', async () => {
    await using served = await servePlain(certificates);
    await writeFile(join(served.desk.home, 'a'), 'secret');
    const client = await loggedInPlain(served.port);
    const port = await client.passive();
    const thief = await client.dataTo(port, '127.0.0.3');
    client.socket.write('RETR a\r\n');
    expect(await client.reply()).toMatch(/^150/);
    expect(await all(thief)).toBe('');
    const own = await client.dataTo(port);
    expect(await all(own)).toBe('secret');
    expect(await client.reply()).toMatch(/^226/);
  });

  test('a second connection to a port that is spent is refused', async () => {
    await using served = await servePlain(certificates);
    const client = await loggedInPlain(served.port);
    const port = await client.passive();
    const own = await client.dataTo(port);
    client.socket.write('STOR a\r\n');
    expect(await client.reply()).toMatch(/^150/);
    const late = net.connect({ port, host: '127.0.0.1' });
    await new Promise<void>((resolve) => {
      late.once('error', () => resolve());
      late.once('close', () => resolve());
    });
    own.end('x');
    expect(await client.reply()).toMatch(/^226/);
  });

  test('a download is read by a client that has ended its own side', async () => {
    await using served = await servePlain(certificates);
    const content = 'x'.repeat(4 << 20);
    await writeFile(join(served.desk.home, 'a'), content);
    const client = await loggedInPlain(served.port);
    const port = await client.passive();
    const half = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    await once(half, 'connect');
    half.end();
    expect(await client.say('RETR a')).toMatch(/^150/);
    expect(await all(half)).toBe(content);
    expect(await client.reply()).toMatch(/^226/);
  });

  test('one that sends while it should receive, and one that never reads, keep nobody', async () => {
    await using served = await servePlain(certificates, {
      server: {
        limits: { ...serverLimits, idleSeconds: 1 },
      },
    });
    await writeFile(join(served.desk.home, 'big'), Buffer.alloc(16 << 20));
    const client = await loggedInPlain(served.port);
    const mute = await client.data();
    mute.pause();
    expect(await client.say('RETR big')).toMatch(/^150/);
    expect(await client.reply()).toMatch(/^426/);
    const slow = await client.data();
    expect(await client.say('STOR slow')).toMatch(/^150/);
    expect(await client.reply()).toMatch(/^426/);
    slow.destroy();
    expect(await readdir(served.desk.home)).not.toContain('slow');
  });
});
