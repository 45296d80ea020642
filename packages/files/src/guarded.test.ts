import { symlink } from 'node:fs/promises';
import { type Result, unwrap } from '@sallyport/faults';
import { type FileOperation, fileOperations } from '@sallyport/model';
import { describe, expect, it } from 'vitest';
import { diskFileSystem } from './disk-filesystem.ts';
import { at, bytesOf, faultOf, namesAt, putFile, readText, temporaryHome } from './disk-fixture.ts';
import type { FileSystem } from './filesystem.ts';
import { guardedFileSystem } from './guarded.ts';

async function opened(handle: ReturnType<FileSystem['openWrite']>): Promise<Result<void>> {
  const result = await handle;
  if (!result.ok) return result;
  unwrap(await result.value.write(bytesOf('new'), 0));
  return result.value.commit();
}

/** Each call, and the smallest sets of operations that permit it. The home holds /f, /g, /d and a link /l. */
const table: [string, (fs: FileSystem) => Promise<Result<unknown>>, FileOperation[][]][] = [
  ['stat', (fs) => fs.stat(at('/f')), [['list'], ['read']]],
  ['lstat', (fs) => fs.lstat(at('/f')), [['list'], ['read']]],
  ['list', (fs) => fs.list(at('/d')).then(drained), [['list']]],
  ['openRead', (fs) => fs.openRead(at('/f')).then(closed), [['read']]],
  ['create new', (fs) => opened(fs.openWrite(at('/new'), 'create')), [['create']]],
  ['replace existing', (fs) => opened(fs.openWrite(at('/f'), 'replace')), [['write']]],
  ['replace new', (fs) => opened(fs.openWrite(at('/new'), 'replace')), [['create']]],
  ['update', (fs) => opened(fs.openWrite(at('/f'), 'update')), [['write']]],
  ['update-or-create existing', (fs) => opened(fs.openWrite(at('/f'), 'update-or-create')), [['write']]],
  ['update-or-create new', (fs) => opened(fs.openWrite(at('/new'), 'update-or-create')), [['create']]],
  ['continue', (fs) => opened(fs.openWrite(at('/new'), 'continue')), [['create']]],
  ['readLink', (fs) => fs.readLink(at('/l')), [['list'], ['read']]],
  ['space', (fs) => fs.space(at('/d')), [['list'], ['read']]],
  ['link', (fs) => fs.link(at('/f'), at('/new')), [['link', 'create']]],
  ['set mode', (fs) => fs.setAttributes(at('/f'), { mode: 0o600 }), [['chmod']]],
  ['set size', (fs) => fs.setAttributes(at('/f'), { size: 1 }), [['write']]],
  ['set times', (fs) => fs.setAttributes(at('/f'), { modifiedAt: 0 }), [['write']]],
  ['set both', (fs) => fs.setAttributes(at('/f'), { mode: 0o600, size: 1 }), [['chmod', 'write']]],
  ['rename to new', (fs) => fs.rename(at('/f'), at('/new'), 'refuse'), [['rename']]],
  ['replace to new', (fs) => fs.rename(at('/f'), at('/new'), 'replace'), [['rename']]],
  ['replace by rename', (fs) => fs.rename(at('/f'), at('/g'), 'replace'), [['rename', 'write']]],
  ['removeFile', (fs) => fs.removeFile(at('/f')), [['delete']]],
  ['makeDirectory', (fs) => fs.makeDirectory(at('/new')), [['mkdir']]],
  ['removeDirectory', (fs) => fs.removeDirectory(at('/d')), [['rmdir']]],
];

async function drained(result: Awaited<ReturnType<FileSystem['list']>>): Promise<Result<unknown>> {
  if (result.ok) for await (const _ of result.value);
  return result;
}

async function closed(result: Awaited<ReturnType<FileSystem['openRead']>>): Promise<Result<unknown>> {
  if (result.ok) await result.value.close();
  return result;
}

async function filledHome() {
  const place = await temporaryHome();
  const disk = diskFileSystem({ home: place.home, uploadMode: 'staged' });
  await putFile(disk, '/f', 'old');
  await putFile(disk, '/g', 'old');
  unwrap(await disk.makeDirectory(at('/d')));
  await symlink('f', `${place.home}/l`);
  const granted = (allow: readonly FileOperation[], path = '/') =>
    guardedFileSystem(disk, { permissions: [{ path, allow: [...allow] }] });
  return Object.assign(place, { disk, granted });
}

describe('guardedFileSystem', () => {
  it.each(table)('%s needs just its operations', async (_, call, sets) => {
    for (const set of sets) {
      await using place = await filledHome();
      expect(faultOf(await call(place.granted(set)))).toBe('no fault');
    }
    // Without one of its operations a set permits nothing, whatever else is granted.
    for (const missing of new Set(sets.flat())) {
      if (sets.some((set) => !set.includes(missing))) continue;
      await using place = await filledHome();
      const before = await namesAt(place.disk, '/');
      const others = fileOperations.filter((operation) => operation !== missing);
      expect(['permission-denied', 'file-exists', 'file-not-found']).toContain(
        faultOf(await call(place.granted(others))),
      );
      expect(await namesAt(place.disk, '/')).toEqual(before);
      expect(await readText(place.disk, '/f')).toBe('old');
      expect(await readText(place.disk, '/g')).toBe('old');
    }
  });

  it('answers the same for a missing and an existing path', async () => {
    await using place = await filledHome();
    for (const [, call] of table) expect(faultOf(await call(place.granted([])))).toBe('permission-denied');
    const nothing = place.granted([...fileOperations], '/elsewhere');
    expect(faultOf(await nothing.stat(at('/f')))).toBe('permission-denied');
    expect(faultOf(await nothing.stat(at('/none')))).toBe('permission-denied');
  });

  it('lets an upload finish that may only create', async () => {
    await using place = await filledHome();
    const handle = unwrap(await place.granted(['create']).openWrite(at('/new'), 'replace'));
    unwrap(await handle.write(bytesOf('bytes'), 0));
    unwrap(await handle.read(new Uint8Array(5), 0));
    unwrap(await handle.setAttributes({ size: 3, modifiedAt: 0 }));
    expect(faultOf(await handle.setAttributes({ mode: 0o666 }))).toBe('permission-denied');
    unwrap(await handle.commit());
    expect(await readText(place.disk, '/new')).toBe('byt');
  });

  it('does not read through a handle for writing in place', async () => {
    await using place = await filledHome();
    const handle = unwrap(await place.granted(['write']).openWrite(at('/f'), 'update'));
    expect(faultOf(await handle.read(new Uint8Array(5), 0))).toBe('permission-denied');
    await handle.abandon();
  });

  it('moves nothing that has permissions of its own below it', async () => {
    await using place = await filledHome();
    const guarded = guardedFileSystem(place.disk, {
      permissions: [
        { path: '/', allow: [...fileOperations] },
        { path: '/d/closed', allow: [] },
      ],
    });
    expect(faultOf(await guarded.rename(at('/d'), at('/e'), 'refuse'))).toBe('permission-denied');
    expect(faultOf(await guarded.rename(at('/f'), at('/e'), 'refuse'))).toBe('no fault');
  });

  it('gives no second name that opens more than the first', async () => {
    await using place = await filledHome();
    const all = [...fileOperations];
    const fs = guardedFileSystem(place.disk, {
      permissions: [
        { path: '/', allow: all },
        { path: '/f', allow: ['read', 'list', 'link'] },
        { path: '/d', allow: ['read', 'list', 'link', 'create'] },
      ],
    });
    expect(faultOf(await fs.link(at('/f'), at('/writable')))).toBe('permission-denied');
    unwrap(await fs.link(at('/f'), at('/d/readable')));
    unwrap(await fs.link(at('/g'), at('/h')));
  });

  it('lets a drop-box go on with what it has begun', async () => {
    await using place = await filledHome();
    const disk = diskFileSystem({ home: place.home, uploadMode: 'staged', account: 'acme' });
    const fs = guardedFileSystem(disk, { permissions: [{ path: '/', allow: ['create', 'list'] }] });
    const cut = unwrap(await fs.openWrite(at('/new'), 'replace'));
    unwrap(await cut.write(bytesOf('one'), 0));
    await cut.abandon();
    const again = unwrap(await fs.openWrite(at('/new'), 'update-or-create'));
    expect(unwrap(await again.attributes()).size).toBe(3);
    unwrap(await again.write(bytesOf('two'), 3));
    unwrap(await again.commit());
    expect(await readText(disk, '/new')).toBe('onetwo');
  });

  it('makes no file of a cut upload for whoever may make none any more', async () => {
    await using place = await filledHome();
    const disk = diskFileSystem({ home: place.home, uploadMode: 'staged', account: 'acme' });
    const cut = unwrap(await disk.openWrite(at('/new'), 'replace'));
    unwrap(await cut.write(bytesOf('one'), 0));
    await cut.abandon();
    const may = (allow: FileOperation[]) => guardedFileSystem(disk, { permissions: [{ path: '/', allow }] });
    expect(faultOf(await may(['write', 'list']).openWrite(at('/new'), 'update'))).toBe('file-not-found');
    expect(unwrap(await disk.stat(at('/new'))).size).toBe(3);
    const again = unwrap(await may(['write', 'create']).openWrite(at('/new'), 'update'));
    unwrap(await again.write(bytesOf('two'), 3));
    unwrap(await again.commit());
    expect(await readText(disk, '/new')).toBe('onetwo');
  });
});
