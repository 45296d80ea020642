import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readIfThere, removeTemporaries, writeAtomic } from './atomic-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('replaces a file for its owner alone and leaves nothing beside it', async () => {
  const path = join(folder, 'current.json');
  expect(await readIfThere(path)).toBe(undefined);
  await writeAtomic(path, 'old');
  await writeAtomic(path, new Uint8Array([110, 101, 119]));
  expect(await readFile(path, 'utf8')).toBe('new');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).toEqual(['current.json']);
});

test('keeps the old file where the new one cannot be written', async () => {
  const path = join(folder, 'current.json');
  await writeAtomic(path, 'old');
  await expect(writeAtomic(join(folder, 'missing', 'current.json'), 'new')).rejects.toThrow('ENOENT');
  expect(await readFile(path, 'utf8')).toBe('old');
});

test('removes what a crash has left, and nothing else', async () => {
  for (const name of ['current.json', 'current.json.0123456789ab.tmp', 'notes.tmp']) {
    await writeFile(join(folder, name), '');
  }
  await removeTemporaries(folder);
  expect((await readdir(folder)).sort()).toEqual(['current.json', 'notes.tmp']);
});
