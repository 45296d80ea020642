import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { unwrap } from '@sallyport/faults';
import { describe, expect, it } from 'vitest';
import { directCalls, pooledCalls } from './disk-calls.ts';
import { diskFileSystem } from './disk-filesystem.ts';
import {
  at,
  bytesOf,
  entriesAt,
  faultOf,
  namesAt,
  putFile,
  readText,
  temporaryHome,
} from './disk-fixture.ts';
import { DiskPace } from './disk-pace.ts';
import { nativeTraversal, type Traversal } from './disk-walk.ts';

const traversals: Traversal[] = nativeTraversal === 'descriptor' ? ['descriptor', 'path'] : ['path'];
const ways = traversals.flatMap((traversal) => [
  { traversal, made: 'in the pool', calls: pooledCalls },
  { traversal, made: 'at once', calls: directCalls(new DiskPace(), 'device') },
]);

describe.each(ways)('disk file system, $traversal traversal, calls $made', ({ traversal, calls }) => {
  const files = (home: string, uploadMode: 'staged' | 'direct' = 'staged') =>
    diskFileSystem({ home, uploadMode, traversal, calls });

  it('writes, reads, lists, renames and removes', async () => {
    await using place = await temporaryHome();
    const fs = files(place.home);
    unwrap(await fs.makeDirectory(at('/in')));
    unwrap(await fs.makeDirectory(at('/in/deep')));
    await putFile(fs, '/in/deep/a.txt', 'hello');
    expect(await readText(fs, '/in/deep/a.txt')).toBe('hello');
    expect(await readFile(`${place.home}/in/deep/a.txt`, 'utf8')).toBe('hello');
    expect(unwrap(await fs.stat(at('/in/deep/a.txt')))).toMatchObject({ kind: 'file', size: 5, mode: 0o600 });
    unwrap(await fs.rename(at('/in/deep/a.txt'), at('/b.txt'), 'refuse'));
    expect(await namesAt(fs, '/')).toEqual(['b.txt', 'in']);
    expect(faultOf(await fs.removeDirectory(at('/in')))).toBe('directory-not-empty');
    unwrap(await fs.removeDirectory(at('/in/deep')));
    unwrap(await fs.removeDirectory(at('/in')));
    unwrap(await fs.removeFile(at('/b.txt')));
    expect(await namesAt(fs, '/')).toEqual([]);
  });

  it('reads at positions, and 0 bytes at the end', async () => {
    await using place = await temporaryHome();
    await writeFile(`${place.home}/f`, '0123456789');
    const handle = unwrap(await files(place.home).openRead(at('/f')));
    const into = new Uint8Array(4);
    expect(unwrap(await handle.read(into, 8))).toBe(2);
    expect(new TextDecoder().decode(into.subarray(0, 2))).toBe('89');
    expect(unwrap(await handle.read(into, 10))).toBe(0);
    await handle.close();
    await handle.close();
    expect(faultOf(await handle.read(into, 0))).toBe('handle-invalid');
  });

  it('refuses what is not there or is of another kind', async () => {
    await using place = await temporaryHome();
    const fs = files(place.home);
    await putFile(fs, '/f', 'x');
    unwrap(await fs.makeDirectory(at('/d')));
    const refusals: [string, Promise<Parameters<typeof faultOf>[0]>][] = [
      ['file-not-found', fs.stat(at('/none'))],
      ['file-not-found', fs.openRead(at('/none/none'))],
      ['file-not-found', fs.openWrite(at('/none/f'), 'replace')],
      ['file-not-found', fs.openWrite(at('/none'), 'update')],
      ['not-a-directory', fs.stat(at('/f/g'))],
      ['not-a-directory', fs.list(at('/f'))],
      ['not-a-directory', fs.removeDirectory(at('/f'))],
      ['is-a-directory', fs.openRead(at('/d'))],
      ['is-a-directory', fs.openWrite(at('/d'), 'replace')],
      ['is-a-directory', fs.openWrite(at('/d'), 'update')],
      ['is-a-directory', fs.openWrite(at('/'), 'replace')],
      ['is-a-directory', fs.removeFile(at('/d'))],
      ['file-exists', fs.openWrite(at('/f'), 'create')],
      ['file-exists', fs.makeDirectory(at('/f'))],
      ['file-exists', fs.makeDirectory(at('/'))],
      ['file-exists', fs.rename(at('/f'), at('/d'), 'refuse')],
      ['file-exists', fs.rename(at('/d'), at('/f'), 'refuse')],
      ['is-a-directory', fs.rename(at('/f'), at('/d'), 'replace')],
      ['path-invalid', fs.rename(at('/d'), at('/d/e'), 'replace')],
      ['file-not-found', fs.rename(at('/none'), at('/g'), 'refuse')],
      ['permission-denied', fs.rename(at('/'), at('/g'), 'replace')],
      ['permission-denied', fs.removeDirectory(at('/'))],
    ];
    for (const [code, refusal] of refusals) expect(faultOf(await refusal)).toBe(code);
    expect(await namesAt(fs, '/')).toEqual(['d', 'f']);
  });

  it('names no folder of the host in a refusal', async () => {
    await using place = await temporaryHome();
    const refusal = await files(place.home).openRead(at('/none'));
    expect(JSON.stringify(refusal)).not.toContain(place.root);
  });

  it('renames over a file only where it is told to', async () => {
    await using place = await temporaryHome();
    const fs = files(place.home);
    await putFile(fs, '/a', 'a');
    await putFile(fs, '/b', 'b');
    expect(faultOf(await fs.rename(at('/a'), at('/b'), 'refuse'))).toBe('file-exists');
    expect(await readText(fs, '/b')).toBe('b');
    unwrap(await fs.rename(at('/a'), at('/b'), 'replace'));
    expect(await readText(fs, '/b')).toBe('a');
    expect(await namesAt(fs, '/')).toEqual(['b']);
  });

  it('updates in place, and leaves the other bytes', async () => {
    await using place = await temporaryHome();
    const fs = files(place.home);
    await putFile(fs, '/f', '0123456789');
    const handle = unwrap(await fs.openWrite(at('/f'), 'update'));
    expect(handle.placement).toBe('in-place');
    unwrap(await handle.write(bytesOf('xx'), 4));
    expect(await readText(fs, '/f')).toBe('0123xx6789');
    await handle.abandon();
    expect(await readText(fs, '/f')).toBe('0123xx6789');
    expect(faultOf(await handle.write(bytesOf('y'), 0))).toBe('handle-invalid');
  });

  it('writes directly where the account is told to', async () => {
    await using place = await temporaryHome();
    const fs = files(place.home, 'direct');
    await writeFile(`${place.home}/f`, 'a longer text');
    const handle = unwrap(await fs.openWrite(at('/f'), 'replace'));
    unwrap(await handle.write(bytesOf('new'), 0));
    expect(await readText(fs, '/f')).toBe('new');
    unwrap(await handle.commit());
    expect(faultOf(await fs.openWrite(at('/f'), 'create'))).toBe('file-exists');
    const created = unwrap(await fs.openWrite(at('/g'), 'update-or-create'));
    expect(created.placement).toBe('in-place');
    await created.abandon();
    expect(await namesAt(fs, '/')).toEqual(['f', 'g']);
  });

  it('changes size, mode and times, also of a file that nobody may open', async () => {
    await using place = await temporaryHome();
    const fs = files(place.home);
    await putFile(fs, '/f', '0123456789');
    if (traversal === 'descriptor') await chmod(`${place.home}/f`, 0);
    unwrap(await fs.setAttributes(at('/f'), { mode: 0o7640, modifiedAt: 1_000_000_000_000 }));
    unwrap(await fs.setAttributes(at('/f'), { size: 4, accessedAt: 1_000_000_005_000 }));
    const attributes = unwrap(await fs.stat(at('/f')));
    expect(attributes).toMatchObject({ size: 4, mode: 0o640, accessedAt: 1_000_000_005_000 });
    expect((await stat(`${place.home}/f`)).mode & 0o7777).toBe(0o640);
    unwrap(await fs.setAttributes(at('/'), { modifiedAt: 1_000_000_000_000 }));
    expect(unwrap(await fs.stat(at('/'))).modifiedAt).toBe(1_000_000_000_000);
  });

  it('takes odd names as they are', async () => {
    await using place = await temporaryHome();
    const fs = files(place.home);
    const composed = 'caf\u00e9';
    const decomposed = 'cafe\u0301';
    const names = ['new\nline', ' ', '...', '-rf *', '%2e%2e', 'n'.repeat(255), '\u{1F6AA}', 'back\\slash'];
    if (process.platform === 'linux') names.push(composed, decomposed);
    for (const name of names) await putFile(fs, `/${name}`, name);
    expect(await namesAt(fs, '/')).toEqual([...names].sort());
    for (const name of names) expect(await readText(fs, `/${name}`)).toBe(name);
  });

  it('lists a thousand entries in batches, and closes when the reader leaves', async () => {
    await using place = await temporaryHome();
    const fs = files(place.home);
    await Promise.all(
      Array.from({ length: 1_000 }, (_, index) => writeFile(`${place.home}/${index}.txt`, 'x')),
    );
    const sizes: number[] = [];
    for await (const batch of unwrap(await fs.list(at('/')))) sizes.push(batch.length);
    expect(sizes.every((size) => size > 0 && size <= 128)).toBe(true);
    expect((await entriesAt(fs, '/')).length).toBe(1_000);
    const entries = unwrap(await fs.list(at('/')))[Symbol.asyncIterator]();
    await entries.next();
    await entries.return?.();
    expect(await entries.next()).toMatchObject({ done: true });
  });

  it('follows links inside the home and shows them as links', async () => {
    await using place = await temporaryHome();
    const fs = files(place.home);
    await mkdir(`${place.home}/d/sub`, { recursive: true });
    await writeFile(`${place.home}/d/f`, 'inside');
    await symlink('d/f', `${place.home}/file`);
    await symlink(`${place.home}/d`, `${place.home}/absolute`);
    await symlink('../../d/./f', `${place.home}/d/sub/up`);
    await symlink('../..', `${place.home}/d/sub/home`);
    await symlink('later', `${place.home}/dangling`);
    for (const path of ['/file', '/absolute/f', '/d/sub/up', '/d/sub/home/file', '/absolute/sub/home/file']) {
      expect(await readText(fs, path)).toBe('inside');
    }
    expect(unwrap(await fs.lstat(at('/file'))).kind).toBe('link');
    expect(unwrap(await fs.stat(at('/file'))).kind).toBe('file');
    expect(await namesAt(fs, '/d/sub/home')).toEqual(['absolute', 'd', 'dangling', 'file']);
    expect((await entriesAt(fs, '/')).find((entry) => entry.name === 'file')?.attributes.kind).toBe('link');
    // What the link points at is replaced, the link stays.
    await putFile(fs, '/file', 'replaced');
    expect(await readFile(`${place.home}/d/f`, 'utf8')).toBe('replaced');
    expect(unwrap(await fs.lstat(at('/file'))).kind).toBe('link');
    // A link as the last name is itself renamed and removed.
    expect(faultOf(await fs.stat(at('/dangling')))).toBe('file-not-found');
    expect(faultOf(await fs.openWrite(at('/dangling'), 'create'))).toBe('file-exists');
    await putFile(fs, '/dangling', 'now there');
    expect(await readFile(`${place.home}/later`, 'utf8')).toBe('now there');
    unwrap(await fs.rename(at('/file'), at('/renamed'), 'refuse'));
    expect(unwrap(await fs.lstat(at('/renamed'))).kind).toBe('link');
    unwrap(await fs.removeFile(at('/absolute')));
    expect(await readText(fs, '/d/f')).toBe('replaced');
  });

  it('opens no FIFO, device or socket, and does not wait for one', async () => {
    await using place = await temporaryHome();
    const fs = files(place.home);
    execFileSync('mkfifo', [`${place.home}/fifo`]);
    const socket = createServer();
    await new Promise<void>((resolve) => socket.listen(`${place.home}/socket`, resolve));
    try {
      for (const name of ['/fifo', '/socket']) {
        expect(unwrap(await fs.stat(at(name))).kind).toBe('other');
        expect(faultOf(await fs.openRead(at(name)))).toBe('permission-denied');
        expect(faultOf(await fs.openWrite(at(name), 'update'))).toBe('permission-denied');
        expect(faultOf(await fs.openWrite(at(name), 'replace'))).toBe('permission-denied');
        expect(faultOf(await fs.openWrite(at(name), 'create'))).toBe('file-exists');
        expect(faultOf(await files(place.home, 'direct').openWrite(at(name), 'replace'))).toBe(
          'permission-denied',
        );
      }
    } finally {
      await new Promise((resolve) => socket.close(resolve));
    }
  });
});
