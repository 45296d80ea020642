import { ok, refuse } from '@sallyport/faults';
import { type DirectoryEntry, type FileAttributes, type FileSystem, rootPath } from '@sallyport/files';
import { fileOperations } from '@sallyport/model';
import { expect, test } from 'vitest';
import { factLine, knownFacts } from './facts.ts';
import { listing, unixLine } from './listing.ts';

const now = Date.UTC(2026, 10, 24, 12);
const attributes = (over: Partial<FileAttributes> = {}): FileAttributes => ({
  kind: 'file',
  size: 1234,
  mode: 0o640,
  uid: 1000,
  gid: 100,
  modifiedAt: Date.UTC(2026, 10, 23, 8, 5),
  accessedAt: 0,
  ...over,
});
const entry = (name: string, over: Partial<FileAttributes> = {}): DirectoryEntry => ({
  name,
  attributes: attributes(over),
});

test('LIST writes what ls -l writes', () => {
  expect(unixLine(entry('a b.txt'), now)).toBe(
    '-rw-r-----   1 1000     100              1234 Nov 23 08:05 a b.txt',
  );
  expect(
    unixLine(entry('old', { kind: 'directory', mode: 0o755, modifiedAt: Date.UTC(2020, 0, 2) }), now),
  ).toBe('drwxr-xr-x   1 1000     100              1234 Jan  2  2020 old');
});

test('facts of a file and of a directory', () => {
  expect(factLine(entry('a', { identity: '2-7' }), knownFacts, ['read', 'write', 'delete'])).toBe(
    'type=file;size=1234;modify=20261123080500;perm=adrw;unique=2-7;UNIX.mode=0640; a',
  );
  expect(factLine(entry('d', { kind: 'directory' }), ['type', 'perm'], fileOperations)).toBe(
    'type=dir;perm=cdeflmp; d',
  );
  expect(factLine(entry('a'), [], fileOperations)).toBe(' a');
});

const files = (over: Partial<FileSystem>): FileSystem =>
  ({ stat: async () => refuse('file-not-found'), ...over }) as FileSystem;

async function text(format: 'LIST' | 'NLST' | 'MLSD', fileSystem: FileSystem) {
  const listed = await listing(fileSystem, { format, path: rootPath, facts: ['type'] }, now);
  if (!listed.ok) return listed.fault.code;
  let all = '';
  for await (const portion of listed.value) all += portion;
  return all;
}

test('an entry with a line break in its name is one entry', async () => {
  const directory = files({
    list: async () =>
      ok(
        (async function* () {
          yield [entry('a\r\ntype=dir; forged')];
        })(),
      ),
  });
  expect(await text('NLST', directory)).toBe('a??type=dir; forged\r\n');
  expect(await text('MLSD', directory)).toBe('type=file; a??type=dir; forged\r\n');
});

test('a link shows as what it leads to, one that leads nowhere as a link', async () => {
  const directory = files({
    list: async () =>
      ok(
        (async function* () {
          yield [entry('in', { kind: 'link' }), entry('out', { kind: 'link' })];
        })(),
      ),
    stat: async (path) =>
      path === '/in' ? ok(attributes({ kind: 'directory' })) : refuse('permission-denied'),
  });
  expect(await text('MLSD', directory)).toBe('type=dir; in\r\ntype=OS.unix=symlink; out\r\n');
});

test('a file lists itself, but not in MLSD', async () => {
  const file = files({ list: async () => refuse('not-a-directory'), stat: async () => ok(attributes()) });
  expect(await text('NLST', file)).toBe('\r\n');
  expect(await text('MLSD', file)).toBe('not-a-directory');
});
