import { mkdir, readdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { unwrap } from '@sallyport/faults';
import { describe, expect, it } from 'vitest';
import { diskFileSystem } from './disk-filesystem.ts';
import { at, bytesOf, faultOf, namesAt, putFile, readText, temporaryHome } from './disk-fixture.ts';
import { stagingName } from './disk-walk.ts';
import type { FileSystem, WriteHandle } from './filesystem.ts';

const filesOf = (home: string, account: string, now?: () => number) =>
  diskFileSystem({ home, uploadMode: 'staged', account, ...(now ? { now } : {}) });
const unfinished = (home: string) => readdir(`${home}/${stagingName}`);

async function cut(fs: FileSystem, path: string, text: string): Promise<void> {
  const handle = unwrap(await fs.openWrite(at(path), 'replace'));
  unwrap(await handle.write(bytesOf(text), 0));
  await handle.abandon();
}

async function goOn(
  fs: FileSystem,
  path: string,
  mode: 'update-or-create' | 'continue' = 'update-or-create',
) {
  const handle = unwrap(await fs.openWrite(at(path), mode));
  return { handle, size: unwrap(await handle.attributes()).size };
}

const finish = async (handle: WriteHandle, text: string, position: number): Promise<void> => {
  unwrap(await handle.write(bytesOf(text), position));
  unwrap(await handle.commit());
};

describe('a cut upload', () => {
  it('reports its size and is continued, and then is a file like any other', async () => {
    await using place = await temporaryHome();
    const fs = filesOf(place.home, 'acme');
    unwrap(await fs.makeDirectory(at('/in')));
    await cut(fs, '/in/f', 'hello ');
    expect(unwrap(await fs.stat(at('/in/f')))).toMatchObject({
      kind: 'file',
      size: 6,
      unfinished: true,
    });
    expect(unwrap(await fs.lstat(at('/in/f'))).size).toBe(6);
    expect(await namesAt(fs, '/in')).toEqual([]);
    expect(faultOf(await fs.openRead(at('/in/f')))).toBe('file-not-found');
    const { handle, size } = await goOn(fs, '/in/f');
    expect(size).toBe(6);
    await finish(handle, 'world', 6);
    expect(await readText(fs, '/in/f')).toBe('hello world');
    expect(await unfinished(place.home)).toEqual([]);
  });

  it('is cut again and goes on from there', async () => {
    await using place = await temporaryHome();
    const fs = filesOf(place.home, 'acme');
    await cut(fs, '/f', 'one');
    const second = await goOn(fs, '/f', 'continue');
    unwrap(await second.handle.write(bytesOf('two'), 3));
    await second.handle.abandon();
    const third = await goOn(fs, '/f', 'continue');
    expect(third.size).toBe(6);
    await finish(third.handle, 'three', 6);
    expect(await readText(fs, '/f')).toBe('onetwothree');
  });

  it('ends before its first hole', async () => {
    await using place = await temporaryHome();
    const fs = filesOf(place.home, 'acme');
    const handle = unwrap(await fs.openWrite(at('/f'), 'replace'));
    unwrap(await handle.write(bytesOf('abc'), 0));
    unwrap(await handle.write(bytesOf('xyz'), 6));
    await handle.abandon();
    expect(unwrap(await fs.stat(at('/f'))).size).toBe(3);
  });

  it('that has nothing in it, or is thrown away, is gone', async () => {
    await using place = await temporaryHome();
    const fs = filesOf(place.home, 'acme');
    await unwrap(await fs.openWrite(at('/f'), 'replace')).abandon();
    const handle = unwrap(await fs.openWrite(at('/g'), 'replace'));
    unwrap(await handle.write(bytesOf('wrong'), 0));
    await handle.abandon('discard');
    expect(faultOf(await fs.stat(at('/f')))).toBe('file-not-found');
    expect(faultOf(await fs.stat(at('/g')))).toBe('file-not-found');
    expect(await unfinished(place.home)).toEqual([]);
  });

  it('is seen and continued by its account alone', async () => {
    await using place = await temporaryHome();
    const [fs, other] = [filesOf(place.home, 'acme'), filesOf(place.home, 'other')];
    const anonymous = diskFileSystem({ home: place.home, uploadMode: 'staged' });
    await cut(fs, '/f', 'secret');
    for (const stranger of [other, anonymous]) {
      expect(faultOf(await stranger.stat(at('/f')))).toBe('file-not-found');
      expect(faultOf(await stranger.removeFile(at('/f')))).toBe('file-not-found');
      const { handle, size } = await goOn(stranger, '/f');
      expect(size).toBe(0);
      await handle.abandon('discard');
    }
    expect(unwrap(await fs.stat(at('/f'))).size).toBe(6);
  });

  it('waits for a day', async () => {
    await using place = await temporaryHome();
    await cut(filesOf(place.home, 'acme'), '/f', 'old');
    const later = (hours: number) => filesOf(place.home, 'acme', () => Date.now() + hours * 3_600_000);
    expect(unwrap(await later(23).stat(at('/f'))).size).toBe(3);
    expect(faultOf(await later(24.1).stat(at('/f')))).toBe('file-not-found');
    const { handle, size } = await goOn(later(24.1), '/f');
    expect(size).toBe(0);
    await handle.abandon();
  });

  it('gives way to an upload that begins anew, and to a removal', async () => {
    await using place = await temporaryHome();
    const fs = filesOf(place.home, 'acme');
    await cut(fs, '/f', 'a long beginning');
    await putFile(fs, '/f', 'new');
    unwrap(await fs.removeFile(at('/f')));
    expect(faultOf(await fs.stat(at('/f')))).toBe('file-not-found');
    await cut(fs, '/f', 'x');
    unwrap(await fs.removeFile(at('/f')));
    expect(faultOf(await fs.removeFile(at('/f')))).toBe('file-not-found');
    await putFile(fs, '/f', 'old');
    await cut(fs, '/f', 'would replace it');
    unwrap(await fs.removeFile(at('/f')));
    expect(faultOf(await fs.stat(at('/f')))).toBe('file-not-found');
    expect(await unfinished(place.home)).toEqual([]);
  });

  it('is behind a file of its name', async () => {
    await using place = await temporaryHome();
    const fs = filesOf(place.home, 'acme');
    await cut(fs, '/f', 'partial');
    await writeFile(`${place.home}/f`, 'whole file');
    expect(unwrap(await fs.stat(at('/f'))).size).toBe(10);
    const { handle } = await goOn(fs, '/f');
    expect(handle.placement).toBe('in-place');
    await handle.abandon();
  });

  it('never mixes with a later upload that was whole before it was cut, or after', async () => {
    await using place = await temporaryHome();
    const fs = filesOf(place.home, 'acme');
    for (const before of ['nothing', 'a file'] as const) {
      // The client has lost its connection, of which the server does not know yet, and comes back.
      const hanging = async () => {
        if (before === 'a file') await putFile(fs, '/f', 'before');
        const handle = unwrap(await fs.openWrite(at('/f'), 'replace'));
        unwrap(await handle.write(bytesOf('a long beginning'), 0));
        return handle;
      };
      const cutAfterwards = await hanging();
      await putFile(fs, '/f', 'whole');
      await cutAfterwards.abandon();
      unwrap(await fs.removeFile(at('/f')));
      expect(faultOf(await fs.stat(at('/f')))).toBe('file-not-found');

      const [cutBefore, whole] = [await hanging(), unwrap(await fs.openWrite(at('/f'), 'replace'))];
      await cutBefore.abandon();
      await finish(whole, 'whole', 0);
      unwrap(await fs.removeFile(at('/f')));
      expect(faultOf(await fs.stat(at('/f')))).toBe('file-not-found');
      expect(await unfinished(place.home)).toEqual([]);
    }
  });

  it('goes to one of two that ask for it', async () => {
    await using place = await temporaryHome();
    const fs = filesOf(place.home, 'acme');
    await cut(fs, '/f', 'begun');
    const both = await Promise.all([goOn(fs, '/f', 'continue'), goOn(fs, '/f', 'continue')]);
    expect(both.map(({ size }) => size).sort()).toEqual([0, 5]);
    for (const { handle } of both) await handle.abandon('discard');
  });
});

describe('links', () => {
  it('are read as the client would name their targets', async () => {
    await using place = await temporaryHome();
    const fs = filesOf(place.home, 'acme');
    await mkdir(`${place.home}/d`);
    for (const [name, target] of [
      ['relative', '../f'],
      ['absolute', `${place.home}/d/x`],
      ['home', place.home],
      ['up', '../../etc/passwd'],
      ['out', '/etc/passwd'],
      ['sneaky', `${place.home}/../other`],
      ['prefix', `${place.home}x/f`],
    ] as const) {
      await symlink(target, `${place.home}/d/${name}`);
    }
    expect(unwrap(await fs.readLink(at('/d/relative')))).toBe('../f');
    expect(unwrap(await fs.readLink(at('/d/absolute')))).toBe('/d/x');
    expect(unwrap(await fs.readLink(at('/d/home')))).toBe('/');
    for (const name of ['up', 'out', 'sneaky', 'prefix']) {
      expect(faultOf(await fs.readLink(at(`/d/${name}`)))).toBe('permission-denied');
    }
    expect(faultOf(await fs.readLink(at('/d')))).toBe('invalid-request');
    expect(faultOf(await fs.readLink(at('/none')))).toBe('file-not-found');
  });

  it('have times of their own', async () => {
    await using place = await temporaryHome();
    const fs = filesOf(place.home, 'acme');
    await writeFile(`${place.home}/f`, 'x');
    await utimes(`${place.home}/f`, 1, 1);
    await symlink('f', `${place.home}/l`);
    unwrap(await fs.setAttributes(at('/l'), { modifiedAt: 5_000_000 }, 'stay'));
    expect(unwrap(await fs.lstat(at('/l'))).modifiedAt).toBe(5_000_000);
    expect(unwrap(await fs.stat(at('/l'))).modifiedAt).toBe(1_000);
    expect(faultOf(await fs.setAttributes(at('/l'), { mode: 0o600 }, 'stay'))).toBe('operation-unsupported');
    unwrap(await fs.setAttributes(at('/f'), { mode: 0o640 }, 'stay'));
    expect(unwrap(await fs.stat(at('/f'))).mode).toBe(0o640);
  });

  it('give a file a second name, never a folder or what is outside', async () => {
    await using place = await temporaryHome();
    const fs = filesOf(place.home, 'acme');
    await putFile(fs, '/f', 'x');
    unwrap(await fs.link(at('/f'), at('/g')));
    expect(await readText(fs, '/g')).toBe('x');
    expect(faultOf(await fs.link(at('/f'), at('/g')))).toBe('file-exists');
    await mkdir(`${place.home}/d`);
    await symlink('/etc/hostname', `${place.home}/out`);
    expect(faultOf(await fs.link(at('/d'), at('/h')))).toBe('permission-denied');
    expect(faultOf(await fs.link(at('/out'), at('/h')))).toBe('permission-denied');
    expect(faultOf(await fs.link(at('/'), at('/h')))).toBe('permission-denied');
  });
});

it('tells the room of the file system', async () => {
  await using place = await temporaryHome();
  const space = unwrap(await filesOf(place.home, 'acme').space(at('/')));
  expect(space.blockSize).toBeGreaterThan(0);
  expect(space.availableBlocks).toBeLessThanOrEqual(space.blocks);
});
