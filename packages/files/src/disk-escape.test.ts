import { once } from 'node:events';
import { mkdir, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { unwrap } from '@sallyport/faults';
import { describe, expect, it } from 'vitest';
import { directCalls, pooledCalls } from './disk-calls.ts';
import { diskFileSystem } from './disk-filesystem.ts';
import { at, bytesOf, faultOf, temporaryHome } from './disk-fixture.ts';
import { openHome } from './disk-home.ts';
import { DiskPace } from './disk-pace.ts';
import { nativeTraversal, type Traversal } from './disk-walk.ts';
import { virtualPath } from './path.ts';

const traversals: Traversal[] = nativeTraversal === 'descriptor' ? ['descriptor', 'path'] : ['path'];
const ways = traversals.flatMap((traversal) => [
  { traversal, made: 'in the pool', calls: pooledCalls },
  { traversal, made: 'at once', calls: directCalls(new DiskPace(), 'device') },
]);

/** Swaps `d` for the link `evil` and back without end, in a thread of its own: some calls are made in this one. */
async function startSwapper(home: string): Promise<{ stop: () => Promise<void> }> {
  const stopped = new Int32Array(new SharedArrayBuffer(4));
  const swapper = new Worker(
    `const { renameSync } = require('node:fs');
    const { parentPort, workerData: { home, stopped } } = require('node:worker_threads');
    parentPort.postMessage('swapping');
    while (Atomics.load(stopped, 0) === 0) {
      renameSync(home + '/d', home + '/away');
      renameSync(home + '/evil', home + '/d');
      renameSync(home + '/d', home + '/evil');
      renameSync(home + '/away', home + '/d');
    }`,
    { eval: true, workerData: { home, stopped } },
  );
  const exited = once(swapper, 'exit');
  await once(swapper, 'message');
  return {
    async stop() {
      Atomics.store(stopped, 0, 1);
      await exited;
    },
  };
}

describe.each(ways)('the home as a jail, $traversal traversal, calls $made', ({ traversal, calls }) => {
  it('clamps .. at the home', async () => {
    await using place = await temporaryHome();
    await writeFile(`${place.root}/secret`, 'secret');
    const fs = diskFileSystem({ home: place.home, uploadMode: 'staged', traversal, calls });
    expect(unwrap(virtualPath('../../secret'))).toBe('/secret');
    expect(faultOf(await fs.stat(at('/../secret')))).toBe('file-not-found');
  });

  it('refuses every way out through a link', async () => {
    await using place = await temporaryHome();
    const outside = `${place.root}/acme-other`;
    await mkdir(outside);
    await writeFile(`${outside}/secret`, 'secret');
    const links: Record<string, string> = {
      absolute: outside,
      relative: '../acme-other',
      dotted: `${place.home}/../acme-other`,
      // The home's own path is the beginning of this one's text.
      sibling: `${place.home}-other`,
      file: `${outside}/secret`,
      root: '/',
      parent: '..',
      loop: 'loop',
      proc: '/proc/self/root',
    };
    for (const [name, target] of Object.entries(links)) await symlink(target, `${place.home}/${name}`);
    const fs = diskFileSystem({ home: place.home, uploadMode: 'staged', traversal, calls });
    for (const name of Object.keys(links)) {
      const path = at(`/${name}`);
      const below = at(`/${name}/secret`);
      for (const result of [
        await fs.stat(path),
        await fs.list(path),
        await fs.openRead(path),
        await fs.openWrite(path, 'replace'),
        await fs.openWrite(path, 'update-or-create'),
        await fs.setAttributes(path, { mode: 0o777 }),
        await fs.stat(below),
        await fs.lstat(below),
        await fs.openRead(below),
        await fs.openWrite(below, 'create'),
        await fs.removeFile(below),
        await fs.makeDirectory(at(`/${name}/new`)),
        await fs.removeDirectory(below),
        await fs.rename(below, at('/stolen'), 'replace'),
      ]) {
        expect([name, faultOf(result)]).toEqual([name, 'permission-denied']);
      }
      expect(unwrap(await fs.lstat(path)).kind).toBe('link');
    }
    expect(await readFile(`${outside}/secret`, 'utf8')).toBe('secret');
    expect(await readdir(outside)).toEqual(['secret']);
  });

  const itByDescriptor = traversal === 'descriptor' ? it : () => {};
  itByDescriptor('never leaves while a directory is swapped for a link under the walk', async () => {
    await using place = await temporaryHome();
    const outside = `${place.root}/outside`;
    await mkdir(`${outside}/sub`, { recursive: true });
    await writeFile(`${outside}/sub/f`, 'secret');
    await mkdir(`${place.home}/d/sub`, { recursive: true });
    await writeFile(`${place.home}/d/sub/f`, 'inside');
    await symlink(outside, `${place.home}/evil`);
    const fs = diskFileSystem({ home: place.home, uploadMode: 'staged', traversal, calls });

    const swapper = await startSwapper(place.home);
    const seen = new Set<string>();
    try {
      for (let round = 0; round < 2_000 || !seen.has('inside'); round++) {
        const opened = await fs.openRead(at('/d/sub/f'));
        if (!opened.ok) {
          seen.add(opened.fault.code);
          continue;
        }
        const into = new Uint8Array(16);
        const length = unwrap(await opened.value.read(into, 0));
        await opened.value.close();
        seen.add(new TextDecoder().decode(into.subarray(0, length)));
      }
    } finally {
      await swapper.stop();
    }
    expect(seen).not.toContain('secret');
    expect(seen).toContain('inside');
    for (const answer of seen) {
      expect(['inside', 'permission-denied', 'file-not-found', 'not-a-directory']).toContain(answer);
    }
  });

  it('commits into the directory that was opened, though a link has taken its place', async () => {
    await using place = await temporaryHome();
    const outside = `${place.root}/outside`;
    await mkdir(outside);
    await mkdir(`${place.home}/d`);
    const fs = diskFileSystem({ home: place.home, uploadMode: 'staged', traversal, calls });
    const handle = unwrap(await fs.openWrite(at('/d/f'), 'replace'));
    unwrap(await handle.write(bytesOf('mine'), 0));
    await rename(`${place.home}/d`, `${place.home}/moved`);
    await symlink(outside, `${place.home}/d`);
    const committed = await handle.commit();
    expect(await readdir(outside)).toEqual([]);
    if (traversal === 'descriptor') {
      expect(committed.ok).toBe(true);
      expect(await readdir(`${place.home}/moved`)).toEqual(['f']);
    } else {
      expect(faultOf(committed)).toBe('permission-denied');
    }
  });
});

describe('openHome', () => {
  it('makes the folders of the home with 0700, once', async () => {
    await using place = await temporaryHome();
    const home = unwrap(await openHome(place.root, '/partners/acme/in'));
    expect(home).toBe(`${place.root}/partners/acme/in`);
    expect(unwrap(await openHome(place.root, '/partners/acme/in'))).toBe(home);
  });

  it('follows a link inside the root and refuses one that leaves it', async () => {
    await using place = await temporaryHome();
    await mkdir(`${place.root}/volume`);
    await symlink('volume', `${place.root}/inside`);
    await symlink('/', `${place.root}/outside`);
    expect(unwrap(await openHome(place.root, '/inside/acme'))).toBe(`${place.root}/volume/acme`);
    expect(faultOf(await openHome(place.root, '/outside/tmp'))).toBe('permission-denied');
    expect(faultOf(await openHome(place.root, '/outside'))).toBe('permission-denied');
    expect(faultOf(await openHome(place.root, '/../x'))).toBe('path-invalid');
    expect(faultOf(await openHome(place.root, '/.sallyport-staging'))).toBe('path-invalid');
  });

  it('refuses a home that is a file', async () => {
    await using place = await temporaryHome();
    await writeFile(`${place.root}/file`, '');
    expect(faultOf(await openHome(place.root, '/file'))).toBe('not-a-directory');
  });
});
