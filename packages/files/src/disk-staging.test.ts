import { chmod, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { unwrap } from '@sallyport/faults';
import { describe, expect, it } from 'vitest';
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
import { stagingName } from './disk-walk.ts';

const staged = (home: string, now?: () => number) =>
  diskFileSystem({ home, uploadMode: 'staged', ...(now ? { now } : {}) });
const unfinished = (home: string) => readdir(`${home}/${stagingName}`);

describe('staged uploads', () => {
  it('appear whole at commit, and not before', async () => {
    await using place = await temporaryHome();
    const fs = staged(place.home);
    const handle = unwrap(await fs.openWrite(at('/f'), 'replace', 0o640));
    expect(handle.placement).toBe('staged');
    unwrap(await handle.write(bytesOf('world'), 6));
    unwrap(await handle.write(bytesOf('hello '), 0));
    const into = new Uint8Array(11);
    expect(unwrap(await handle.read(into, 0))).toBe(11);
    expect(unwrap(await handle.attributes())).toMatchObject({ kind: 'file', size: 11 });
    unwrap(await handle.setAttributes({ modifiedAt: 1_000_000_000_000 }));
    unwrap(await handle.sync());
    expect(await namesAt(fs, '/')).toEqual([]);
    expect(faultOf(await fs.stat(at('/f')))).toBe('file-not-found');
    unwrap(await handle.commit());
    expect(await readText(fs, '/f')).toBe('hello world');
    expect(unwrap(await fs.stat(at('/f'))).modifiedAt).toBe(1_000_000_000_000);
    expect(await unfinished(place.home)).toEqual([]);
    for (const late of [handle.commit(), handle.sync(), handle.write(into, 0), handle.read(into, 0)]) {
      expect(faultOf(await late)).toBe('handle-invalid');
    }
    await handle.abandon();
    expect(await readText(fs, '/f')).toBe('hello world');
  });

  it('that are cut leave nothing, and the old file as it was', async () => {
    await using place = await temporaryHome();
    const fs = staged(place.home);
    await putFile(fs, '/f', 'old');
    const handle = unwrap(await fs.openWrite(at('/f'), 'replace'));
    unwrap(await handle.write(bytesOf('half of the n'), 0));
    await handle.abandon();
    expect(await readText(fs, '/f')).toBe('old');
    expect(await unfinished(place.home)).toEqual([]);
  });

  it('wait at commit for writes under way', async () => {
    await using place = await temporaryHome();
    const fs = staged(place.home);
    const handle = unwrap(await fs.openWrite(at('/f'), 'replace'));
    const block = new Uint8Array(1 << 20).fill(7);
    const writes = Array.from({ length: 8 }, (_, index) => handle.write(block, index << 20));
    unwrap(await handle.commit());
    for (const write of writes) unwrap(await write);
    expect(unwrap(await fs.stat(at('/f'))).size).toBe(8 << 20);
  });

  it('of several writers never mix: the last commit wins whole', async () => {
    await using place = await temporaryHome();
    const fs = staged(place.home);
    const handles = await Promise.all(
      Array.from({ length: 8 }, async () => unwrap(await fs.openWrite(at('/f'), 'replace'))),
    );
    await Promise.all(
      handles.map(async (handle, writer) => {
        for (let part = 0; part < 16; part++) {
          unwrap(await handle.write(new Uint8Array(4_096).fill(65 + writer), part * 4_096));
        }
      }),
    );
    await Promise.all(handles.slice(0, 7).map(async (handle) => unwrap(await handle.commit())));
    expect(new Set(await readText(fs, '/f')).size).toBe(1);
    unwrap(await (handles[7] as (typeof handles)[0]).commit());
    expect(await readText(fs, '/f')).toBe('H'.repeat(65_536));
    expect(await unfinished(place.home)).toEqual([]);
  });

  it('let one creator win', async () => {
    await using place = await temporaryHome();
    const fs = staged(place.home);
    const handles = await Promise.all(
      ['create', 'create', 'update-or-create', 'update-or-create'].map(async (mode) =>
        unwrap(await fs.openWrite(at('/f'), mode as 'create')),
      ),
    );
    const results = await Promise.all(handles.map((handle) => handle.commit()));
    expect(results.map(faultOf).sort()).toEqual(['file-exists', 'file-exists', 'file-exists', 'no fault']);
    expect(await unfinished(place.home)).toEqual([]);
  });

  it('keep the mode of the file they replace and refuse a name that a directory took', async () => {
    await using place = await temporaryHome();
    const fs = staged(place.home);
    await putFile(fs, '/f', 'old');
    await chmod(`${place.home}/f`, 0o664);
    await putFile(fs, '/f', 'new');
    expect(unwrap(await fs.stat(at('/f'))).mode).toBe(0o664);
    const handle = unwrap(await fs.openWrite(at('/g'), 'replace'));
    unwrap(await fs.makeDirectory(at('/g')));
    expect(faultOf(await handle.commit())).toBe('is-a-directory');
    expect(await unfinished(place.home)).toEqual([]);
  });

  it('are out of reach for every client', async () => {
    await using place = await temporaryHome();
    const fs = staged(place.home);
    const handle = unwrap(await fs.openWrite(at('/f'), 'replace'));
    await symlink(stagingName, `${place.home}/link`);
    for (const path of [`/${stagingName}`, `/${stagingName.toUpperCase()}`, '/link', `/d/${stagingName}/x`]) {
      await mkdir(`${place.home}/d`, { recursive: true });
      for (const result of [
        await fs.stat(at(path)),
        await fs.list(at(path)),
        await fs.openRead(at(path)),
        await fs.openWrite(at(path), 'replace'),
      ]) {
        expect(faultOf(result)).toBe('path-invalid');
      }
    }
    expect(faultOf(await fs.makeDirectory(at(`/d/${stagingName}`)))).toBe('path-invalid');
    expect(faultOf(await fs.rename(at('/d'), at(`/${stagingName}/d`), 'replace'))).toBe('path-invalid');
    expect(faultOf(await fs.removeDirectory(at(`/${stagingName}`)))).toBe('path-invalid');
    expect((await entriesAt(fs, '/')).map((entry) => entry.name).sort()).toEqual(['d', 'link']);
    await handle.abandon();
  });

  it('of a crash are removed after a day, younger ones stay', async () => {
    await using place = await temporaryHome();
    await mkdir(`${place.home}/${stagingName}`);
    await writeFile(`${place.home}/${stagingName}/leftover`, 'x');
    await putFile(staged(place.home), '/f', 'x');
    expect(await unfinished(place.home)).toEqual(['leftover']);
    await putFile(
      staged(place.home, () => Date.now() + 26 * 3_600_000),
      '/f',
      'x',
    );
    expect(await unfinished(place.home)).toEqual([]);
  });
});
