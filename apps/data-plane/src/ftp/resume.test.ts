// Uploads and downloads that go on where they were cut, and those that add to what is there.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { all, loggedInPlain, servePlain } from './fixture/plain.ts';
import { type Certificates, makeCertificates, type RawClient } from './fixture/served.ts';

vi.setConfig({ testTimeout: 30_000 });

let certificates: Certificates;
beforeAll(async () => {
  certificates = await makeCertificates();
});

/** Runs an upload to its end, or cuts it with a reset once all of it is there. */
async function upload(client: RawClient, command: string, content: string, end: 'closed' | 'cut' = 'closed') {
  const data = await client.data();
  const opened = await client.say(command);
  if (!opened.startsWith('150')) {
    data.destroy();
    return opened;
  }
  if (end === 'closed') data.end(content);
  else {
    data.write(content);
    // What is not read yet a reset would take along.
    await expect
      .poll(() => client.say('STAT'), { timeout: 10_000 })
      .toMatch(new RegExp(`^213 ${content.length} bytes`));
    data.resetAndDestroy();
  }
  return client.reply();
}

async function download(client: RawClient, command: string): Promise<string> {
  const data = await client.data();
  await client.say(command);
  const content = await all(data);
  await client.reply();
  return content;
}

test('a cut upload is seen by its size, continued, and a file only then', async () => {
  await using served = await servePlain(certificates);
  const client = await loggedInPlain(served.port);
  expect(await upload(client, 'STOR a', 'hello ', 'cut')).toMatch(/^426/);
  expect(await readdir(served.desk.home)).not.toContain('a');
  expect(await client.say('SIZE a')).toBe('213 6');
  const again = await loggedInPlain(served.port);
  await again.say('REST 6');
  expect(await upload(again, 'STOR a', 'world')).toMatch(/^226/);
  expect(await readFile(join(served.desk.home, 'a'), 'utf8')).toBe('hello world');
  expect(served.desk.reports).toMatchObject([
    { outcome: 'cut', bytes: 6 },
    { outcome: 'completed', bytes: 5 },
  ]);
});

test('APPE goes on with a cut upload, adds to a file, and begins one', async () => {
  await using served = await servePlain(certificates);
  const client = await loggedInPlain(served.port);
  await upload(client, 'STOR a', 'one ', 'cut');
  expect(await upload(client, 'APPE a', 'two ')).toMatch(/^226/);
  expect(await upload(client, 'APPE a', 'three')).toMatch(/^226/);
  expect(await upload(client, 'APPE b', 'new')).toMatch(/^226/);
  expect(await readFile(join(served.desk.home, 'a'), 'utf8')).toBe('one two three');
  expect(await readFile(join(served.desk.home, 'b'), 'utf8')).toBe('new');
});

test('an offset into a file changes that part of it', async () => {
  await using served = await servePlain(certificates);
  await writeFile(join(served.desk.home, 'a'), '0123456789');
  const client = await loggedInPlain(served.port);
  await client.say('REST 4');
  expect(await upload(client, 'STOR a', 'xy')).toMatch(/^226/);
  expect(await readFile(join(served.desk.home, 'a'), 'utf8')).toBe('0123xy6789');
});

test('no upload begins behind the end', async () => {
  await using served = await servePlain(certificates);
  const client = await loggedInPlain(served.port);
  await client.say('REST 1');
  expect(await upload(client, 'STOR missing', 'x')).toMatch(/^554/);
  await upload(client, 'STOR a', 'abc', 'cut');
  await client.say('REST 4');
  expect(await upload(client, 'STOR a', 'x')).toMatch(/^554/);
  expect(await client.say('SIZE a')).toBe('213 3');
  expect(await readdir(served.desk.home)).not.toContain('missing');
});

test('a STOR without REST begins anew', async () => {
  await using served = await servePlain(certificates);
  const client = await loggedInPlain(served.port);
  await upload(client, 'STOR a', 'old content', 'cut');
  expect(await upload(client, 'STOR a', 'new')).toMatch(/^226/);
  expect(await readFile(join(served.desk.home, 'a'), 'utf8')).toBe('new');
});

test('a cut in a file that was there is told as what it is', async () => {
  await using served = await servePlain(certificates);
  await writeFile(join(served.desk.home, 'a'), 'abc');
  const client = await loggedInPlain(served.port);
  expect(await upload(client, 'APPE a', 'def', 'cut')).toBe('426 The data connection was cut.');
  expect(await readFile(join(served.desk.home, 'a'), 'utf8')).toBe('abcdef');
});

test('REST and RETR', async () => {
  await using served = await servePlain(certificates);
  await writeFile(join(served.desk.home, 'a'), '0123456789');
  const client = await loggedInPlain(served.port);
  await client.say('REST 7');
  expect(await download(client, 'RETR a')).toBe('789');
  expect(await download(client, 'RETR a')).toBe('0123456789');
  await client.say('REST 10');
  expect(await download(client, 'RETR a')).toBe('');
  await client.say('REST 11');
  await client.passive();
  expect(await client.say('RETR a')).toMatch(/^554/);
});

test('STOU stores under names of its own, which it tells', async () => {
  await using served = await servePlain(certificates);
  await writeFile(join(served.desk.home, 'a'), 'there');
  const client = await loggedInPlain(served.port);
  const names = [];
  for (const command of ['STOU', 'STOU a', 'STOU a']) {
    const data = await client.data();
    names.push(/^150 FILE: (\S+)$/.exec(await client.say(command))?.[1] ?? 'none');
    data.end('new');
    expect(await client.reply()).toMatch(/^226/);
  }
  expect(new Set(names).size).toBe(3);
  for (const name of names) expect(await readFile(join(served.desk.home, name), 'utf8')).toBe('new');
  expect(await readFile(join(served.desk.home, 'a'), 'utf8')).toBe('there');
});

test('ASCII: lines of the wire and lines of the file', async () => {
  await using served = await servePlain(certificates);
  const client = await loggedInPlain(served.port);
  await client.say('TYPE A');
  expect(await upload(client, 'STOR a', 'one\r\ntwo\r\n')).toMatch(/^226/);
  expect(await upload(client, 'APPE a', 'three\r\n')).toMatch(/^226/);
  expect(await readFile(join(served.desk.home, 'a'), 'utf8')).toBe('one\ntwo\nthree\n');
  expect(await download(client, 'RETR a')).toBe('one\r\ntwo\r\nthree\r\n');
  expect(await client.say('SIZE a')).toMatch(/^550/);
  expect(await client.say('REST 3')).toMatch(/^504/);
});
