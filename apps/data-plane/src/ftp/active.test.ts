// Data connections that the server opens: to the client and to nobody else.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { all, clientPort, loggedInPlain, servePlain } from './fixture/plain.ts';
import { type Certificates, makeCertificates } from './fixture/served.ts';

vi.setConfig({ testTimeout: 30_000 });

let certificates: Certificates;
beforeAll(async () => {
  certificates = await makeCertificates();
});

test.each(['PORT', 'EPRT'])(
  '%s: the server connects from the address of the control connection',
  async (verb) => {
    await using served = await servePlain(certificates);
    await using waiting = await clientPort();
    await writeFile(join(served.desk.home, 'a'), 'content');
    const client = await loggedInPlain(served.port);
    const argument = verb === 'PORT' ? waiting.numbers : `|1|127.0.0.1|${waiting.port}|`;
    for (let turn = 0; turn < 2; turn++) {
      expect(await client.say(`${verb} ${argument}`)).toMatch(/^200/);
      client.socket.write('RETR a\r\n');
      const data = await waiting.next();
      expect(data.remoteAddress).toBe('127.0.0.1');
      expect(await client.reply()).toMatch(/^150/);
      expect(await all(data)).toBe('content');
      expect(await client.reply()).toMatch(/^226/);
    }
    expect(await client.say('RETR a')).toMatch(/^425/);
  },
);

test('an upload goes over it as well', async () => {
  await using served = await servePlain(certificates);
  await using waiting = await clientPort();
  const client = await loggedInPlain(served.port);
  await client.say(`PORT ${waiting.numbers}`);
  client.socket.write('STOR b\r\n');
  (await waiting.next()).end('content');
  await client.reply();
  expect(await client.reply()).toMatch(/^226/);
  expect(await readFile(join(served.desk.home, 'b'), 'utf8')).toBe('content');
});

test('over IPv6, where PASV has no address to name', async () => {
  await using served = await servePlain(certificates, { server: { host: '::1' } });
  await using waiting = await clientPort('::1');
  await writeFile(join(served.desk.home, 'a'), 'content');
  const client = await loggedInPlain(served.port, '::1');
  expect(await client.say(`EPRT |2|0:0:0:0:0:0:0:1|${waiting.port}|`)).toMatch(/^200/);
  client.socket.write('RETR a\r\n');
  expect(await all(await waiting.next())).toBe('content');
  await client.reply();
  await client.reply();
  expect(await client.say(`EPRT |1|127.0.0.1|${waiting.port}|`)).toMatch(/^522.*\(2\)/);
  expect(await client.say('PASV')).toMatch(/^522/);
  expect(await client.say('EPSV 1')).toMatch(/^522.*\(2\)/);
  expect(await client.say('EPSV 2')).toMatch(/^229/);
  expect(await client.say('EPSV')).toMatch(/^229 .*\(\|\|\|\d+\|\)/);
});

test('no third address, no port of a service, and no connection to either', async () => {
  await using served = await servePlain(certificates);
  await using stranger = await clientPort('127.0.0.2');
  const client = await loggedInPlain(served.port);
  for (const refused of [
    `PORT ${stranger.numbers}`,
    `EPRT |1|127.0.0.2|${stranger.port}|`,
    `EPRT |1|::ffff:127.0.0.2|${stranger.port}|`,
    'PORT 127,0,0,1,0,25',
    'EPRT |1|127.0.0.1|1023|',
    'PORT 127,0,0,1,4',
  ]) {
    expect(await client.say(refused)).toMatch(/^501/);
    expect(await client.say('LIST')).toMatch(/^425/);
  }
  expect(await client.say(`EPRT |2|::1|${stranger.port}|`)).toMatch(/^522/);
  expect(stranger.connections).toEqual([]);
});

test('a refused PORT leaves no earlier agreement', async () => {
  await using served = await servePlain(certificates);
  const client = await loggedInPlain(served.port);
  await client.passive();
  expect(await client.say('PORT 127,0,0,2,99,99')).toMatch(/^501/);
  expect(await client.say('LIST')).toMatch(/^425/);
});

test('where nobody listens the transfer fails and the connection goes on', async () => {
  await using served = await servePlain(certificates);
  const waiting = await clientPort();
  await waiting[Symbol.asyncDispose]();
  const client = await loggedInPlain(served.port);
  await client.say(`PORT ${waiting.numbers}`);
  expect(await client.say('STOR a')).toMatch(/^150/);
  expect(await client.reply()).toMatch(/^425/);
  expect(await client.say('NOOP')).toMatch(/^200/);
});
