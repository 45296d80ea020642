import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diskFileSystem } from '@sallyport/files/disk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ask, Peer, sendAttributes } from './fixture/peer.ts';
import { openFlag } from './protocol.ts';

const [OK, NO_SUCH_FILE, DENIED, FAILURE, BAD_MESSAGE, UNSUPPORTED] = [0, 2, 3, 4, 5, 8];
const { read: READ, write: WRITE, create: CREATE, truncate: TRUNCATE, append: APPEND } = openFlag;

let home: string;
let peer: Peer;
beforeEach(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), 'sftp-')));
  peer = new Peer({ files: diskFileSystem({ home, uploadMode: 'staged', account: 'acme' }) });
  await peer.greet();
});
afterEach(async () => {
  peer.session.abort();
  await peer.closed;
  expect(peer.errors).toEqual([]);
  await rm(home, { recursive: true });
});

const opened = (name: string, flags: number) => peer.handle((id) => ask.open(id, name, flags));

describe('extensions', () => {
  it('hardlink gives a second name', async () => {
    await writeFile(join(home, 'a'), 'text');
    const link = (from: string, to: string) =>
      peer.code((id) => ask.extended(id, 'hardlink@openssh.com', (w) => w.string(from).string(to)));
    expect(await link('/a', '/b')).toBe(OK);
    expect(await readFile(join(home, 'b'), 'utf8')).toBe('text');
    expect(await link('/a', '/b')).toBe(FAILURE);
    expect(await link('/none', '/c')).toBe(NO_SUCH_FILE);
  });

  it('statvfs and fstatvfs tell the room', async () => {
    await writeFile(join(home, 'a'), 'text');
    const byPath = await peer.call((id) => ask.extended(id, 'statvfs@openssh.com', (w) => w.string('/')));
    const handle = await opened('/a', READ);
    const byHandle = await peer.call((id) =>
      ask.extended(id, 'fstatvfs@openssh.com', (w) => w.string(handle)),
    );
    for (const reply of [byPath, byHandle]) {
      if (reply.type !== 'extended') throw new Error(reply.type);
      expect(reply.limits).toHaveLength(11);
      expect(reply.limits[0]).toBeGreaterThan(0);
      expect(reply.limits[10]).toBe(255);
    }
  });

  it('lsetstat changes a link itself', async () => {
    await writeFile(join(home, 'a'), 'text');
    await symlink('a', join(home, 'l'));
    const set = (sent: Parameters<typeof sendAttributes>[1]) =>
      peer.code((id) =>
        ask.extended(id, 'lsetstat@openssh.com', (w) => sendAttributes(w.string('/l'), sent)),
      );
    expect(await set({ times: [1_000, 2_000] })).toBe(OK);
    expect(await peer.call((id) => ask.lstat(id, '/l'))).toMatchObject({
      attributes: { times: [1_000, 2_000] },
    });
    expect(await set({ mode: 0o600 })).toBe(UNSUPPORTED);
  });

  it.each([
    ['~', '/'],
    ['~/in', '/in'],
    ['in/../x', '/x'],
    ['/~', '/~'],
  ])('expand-path of %s is %s', async (path, expanded) => {
    const reply = await peer.call((id) => ask.extended(id, 'expand-path@openssh.com', (w) => w.string(path)));
    expect(reply).toMatchObject({ type: 'name', entries: [{ name: expanded }] });
  });

  it('expand-path knows nobody else', async () => {
    const other = await peer.code((id) =>
      ask.extended(id, 'expand-path@openssh.com', (w) => w.string('~root')),
    );
    expect(other).toBe(NO_SUCH_FILE);
  });

  it('users-groups-by-id has no names to tell', async () => {
    const ids = (count: number) => new Uint8Array(4 * count);
    const reply = await peer.call((id) =>
      ask.extended(id, 'users-groups-by-id@openssh.com', (w) => w.string(ids(2)).string(ids(1))),
    );
    if (reply.type !== 'extended') throw new Error(reply.type);
    expect([...reply.bytes]).toEqual([0, 0, 0, 8, ...ids(2), 0, 0, 0, 4, ...ids(1)]);
  });

  it('readlink tells targets inside the home alone', async () => {
    await mkdir(join(home, 'd'));
    await symlink('../a', join(home, 'd/inside'));
    await symlink('/etc/passwd', join(home, 'd/outside'));
    expect(await peer.call((id) => ask.readlink(id, '/d/inside'))).toMatchObject({
      entries: [{ name: '../a' }],
    });
    expect(await peer.code((id) => ask.readlink(id, '/d/outside'))).toBe(DENIED);
  });
});

describe('copy-data', () => {
  const copy = (from: Uint8Array, at: number, length: number, to: Uint8Array, target: number) =>
    peer.code((id) =>
      ask.extended(id, 'copy-data', (w) =>
        w.string(from).uint64(at).uint64(length).string(to).uint64(target),
      ),
    );

  it('copies a whole file, and a part of it', async () => {
    const content = Buffer.from(Uint8Array.from({ length: 700_000 }, (_, i) => (i * 7) % 251));
    await writeFile(join(home, 'a'), content);
    const from = await opened('/a', READ);
    const whole = await opened('/b', WRITE | CREATE | TRUNCATE);
    expect(await copy(from, 0, 0, whole, 0)).toBe(OK);
    expect(await peer.code((id) => ask.close(id, whole))).toBe(OK);
    expect(content.equals(await readFile(join(home, 'b')))).toBe(true);
    const part = await opened('/c', WRITE | CREATE | TRUNCATE);
    expect(await copy(from, 10, 20, part, 5)).toBe(OK);
    expect(await peer.code((id) => ask.close(id, part))).toBe(OK);
    expect(await readFile(join(home, 'c'))).toEqual(
      Buffer.concat([Buffer.alloc(5), content.subarray(10, 30)]),
    );
  });

  it('refuses ranges that overlap, and handles of another kind', async () => {
    await writeFile(join(home, 'a'), 'text');
    const both = await opened('/a', READ | WRITE);
    const reading = await opened('/a', READ);
    expect(await copy(both, 0, 4, both, 2)).toBe(BAD_MESSAGE);
    expect(await copy(reading, 0, 0, both, 4)).toBe(BAD_MESSAGE);
    expect(await copy(both, 0, 2, both, 4)).toBe(OK);
    expect(await copy(reading, 0, 0, reading, 0)).toBe(FAILURE);
    expect(await copy(both, 0, 0, new Uint8Array([9, 9, 9, 9]), 0)).toBe(FAILURE);
    await peer.code((id) => ask.close(id, both));
    expect(await readFile(join(home, 'a'), 'utf8')).toBe('textte');
  });
});

describe('a cut upload', () => {
  it('is continued by another session of the account', async () => {
    const handle = await opened('/big', WRITE | CREATE | TRUNCATE);
    await peer.call((id) => ask.write(id, handle, 0, 'first half, '));
    peer.session.abort();
    await peer.closed;
    peer = new Peer({ files: diskFileSystem({ home, uploadMode: 'staged', account: 'acme' }) });
    await peer.greet();
    expect(await peer.call((id) => ask.stat(id, '/big'))).toMatchObject({ attributes: { size: 12 } });
    const again = await opened('/big', WRITE | CREATE | APPEND);
    await peer.call((id) => ask.write(id, again, 12, 'second half'));
    expect(await peer.code((id) => ask.close(id, again))).toBe(OK);
    expect(await readFile(join(home, 'big'), 'utf8')).toBe('first half, second half');
  });
});
