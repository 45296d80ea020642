import { mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { utf8 } from '@sallyport/bytes';
import { diskFileSystem } from '@sallyport/files/disk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ask, clientPacket, Peer, type Received } from './fixture/peer.ts';

const [READ, WRITE, APPEND, CREATE, TRUNCATE, EXCLUSIVE] = [1, 2, 4, 8, 16, 32] as const;
const [OK, EOF, NO_FILE, DENIED, FAILURE, BAD_MESSAGE, UNSUPPORTED] = [0, 1, 2, 3, 4, 5, 8] as const;

let home: string;
let peer: Peer;
const on = (name: string) => join(home, name);
const shown = async () => (await readdir(home, { withFileTypes: true })).filter((e) => e.isFile());

beforeEach(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), 'sftp-')));
  peer = new Peer({ files: diskFileSystem({ home, uploadMode: 'staged' }) });
});
afterEach(async () => {
  peer.session.abort();
  await peer.closed;
  expect(peer.errors).toEqual([]);
  await rm(home, { recursive: true });
});

const put = async (name: string, text: string): Promise<number> => {
  const handle = await peer.handle((id) => ask.open(id, name, WRITE | CREATE | TRUNCATE));
  await peer.call((id) => ask.write(id, handle, 0, text));
  return peer.code((id) => ask.close(id, handle));
};

describe('the handshake', () => {
  it('announces version 3 and its extensions', async () => {
    expect(await peer.greet()).toEqual({
      type: 'version',
      version: 3,
      extensions: {
        'posix-rename@openssh.com': '1',
        'statvfs@openssh.com': '2',
        'fstatvfs@openssh.com': '2',
        'hardlink@openssh.com': '1',
        'fsync@openssh.com': '1',
        'lsetstat@openssh.com': '1',
        'limits@openssh.com': '1',
        'expand-path@openssh.com': '1',
        'copy-data': '1',
        'users-groups-by-id@openssh.com': '1',
      },
    });
  });

  it.each([
    ['another packet first', ask.stat(1, '/')],
    ['an older version', ask.init(2)],
    ['a packet that is too long', new Uint8Array([0, 5, 0, 0, 1])],
  ])('closes on %s', async (_, packet) => {
    peer.give(packet);
    expect(await peer.closed).toMatchObject({ code: 'message-malformed' });
    expect(peer.replies).toEqual([]);
  });
});

describe('files', () => {
  beforeEach(() => peer.greet());

  it('are there for the session that writes them, and for nobody else', async () => {
    const handle = await peer.handle((id) => ask.open(id, '/mine', WRITE | CREATE | EXCLUSIVE));
    await peer.call((id) => ask.write(id, handle, 0, 'some'));
    expect(await peer.call((id) => ask.stat(id, '/mine'))).toMatchObject({ attributes: { size: 4 } });
    expect(await peer.code((id) => ask.setstat(id, '/mine', { times: [1_000, 2_000] }))).toBe(OK);
    expect(await peer.code((id) => ask.open(id, '/mine', READ))).toBe(NO_FILE);
    const other = new Peer({ files: diskFileSystem({ home, uploadMode: 'staged' }) });
    await other.greet();
    expect(await other.code((id) => ask.stat(id, '/mine'))).toBe(NO_FILE);
    other.session.abort();
    await other.closed;
    expect(await peer.code((id) => ask.close(id, handle))).toBe(OK);
    expect((await stat(on('mine'))).mtimeMs).toBe(2_000_000);
  });

  it('appear whole, at CLOSE', async () => {
    const handle = await peer.handle((id) => ask.open(id, '/a.txt', WRITE | CREATE | TRUNCATE));
    expect(await peer.code((id) => ask.write(id, handle, 5, 'world'))).toBe(OK);
    expect(await peer.code((id) => ask.write(id, handle, 0, 'hello'))).toBe(OK);
    expect(await shown()).toEqual([]);
    expect(await peer.code((id) => ask.close(id, handle))).toBe(OK);
    expect(await readFile(on('a.txt'), 'utf8')).toBe('helloworld');
    expect(peer.transfers).toEqual([
      { direction: 'upload', path: '/a.txt', bytes: 10, outcome: 'completed' },
    ]);
    expect(await peer.code((id) => ask.close(id, handle))).toBe(FAILURE);
  });

  it('are read, to the end and beyond', async () => {
    await writeFile(on('a.txt'), 'hello');
    const handle = await peer.handle((id) => ask.open(id, 'a.txt', READ));
    expect(await peer.call((id) => ask.read(id, handle, 0, 3))).toMatchObject({ data: utf8('hel') });
    expect(await peer.call((id) => ask.read(id, handle, 3, 1_000_000))).toMatchObject({ data: utf8('lo') });
    expect(await peer.code((id) => ask.read(id, handle, 5, 10))).toBe(EOF);
    expect(await peer.code((id) => ask.write(id, handle, 0, 'x'))).toBe(FAILURE);
    expect(await peer.code((id) => ask.close(id, handle))).toBe(OK);
    expect(peer.transfers).toEqual([
      { direction: 'download', path: '/a.txt', bytes: 5, outcome: 'completed' },
    ]);
  });

  it('read in part are reported as cut', async () => {
    await writeFile(on('a.txt'), 'hello');
    const handle = await peer.handle((id) => ask.open(id, 'a.txt', READ));
    await peer.call((id) => ask.read(id, handle, 0, 3));
    await peer.call((id) => ask.close(id, handle));
    expect(peer.transfers).toMatchObject([{ direction: 'download', bytes: 3, outcome: 'cut' }]);
  });

  it('open as the flags say', async () => {
    expect(await peer.code((id) => ask.open(id, '/none', READ))).toBe(NO_FILE);
    expect(await peer.code((id) => ask.open(id, '/none', WRITE))).toBe(NO_FILE);
    expect(await peer.code((id) => ask.open(id, '/none', WRITE | TRUNCATE))).toBe(NO_FILE);
    expect(await peer.code((id) => ask.open(id, '/none', 0))).toBe(BAD_MESSAGE);
    await put('/there', 'old text');
    expect(await peer.code((id) => ask.open(id, '/there', WRITE | CREATE | EXCLUSIVE))).toBe(FAILURE);
    const updated = await peer.handle((id) => ask.open(id, '/there', READ | WRITE));
    await peer.call((id) => ask.write(id, updated, 0, 'new'));
    expect(await peer.call((id) => ask.read(id, updated, 0, 100))).toMatchObject({ data: utf8('new text') });
    await peer.call((id) => ask.close(id, updated));
    const appended = await peer.handle((id) => ask.open(id, '/there', WRITE | CREATE | APPEND));
    await peer.call((id) => ask.write(id, appended, 0, ', 1'));
    await peer.call((id) => ask.write(id, appended, 0, ', 2'));
    expect(await peer.code((id) => ask.read(id, appended, 0, 5))).toBe(DENIED);
    await peer.call((id) => ask.close(id, appended));
    expect(await readFile(on('there'), 'utf8')).toBe('new text, 1, 2');
  });

  it('take attributes at OPEN and on the open handle', async () => {
    const handle = await peer.handle((id) => ask.open(id, '/a', WRITE | CREATE | TRUNCATE, { mode: 0o600 }));
    await peer.call((id) => ask.write(id, handle, 0, 'hello'));
    expect(await peer.code((id) => ask.fsetstat(id, handle, { mode: 0o100640, times: [111, 222] }))).toBe(OK);
    expect(await peer.call((id) => ask.fstat(id, handle))).toMatchObject({ attributes: { size: 5 } });
    expect(await peer.code((id) => ask.extended(id, 'fsync@openssh.com', (w) => w.string(handle)))).toBe(OK);
    expect(await peer.code((id) => ask.close(id, handle))).toBe(OK);
    const found = await stat(on('a'));
    expect(found.mode & 0o777).toBe(0o640);
    expect(found.mtimeMs).toBe(222_000);
  });

  it('that have a hole are not committed', async () => {
    const files = diskFileSystem({ home, uploadMode: 'staged' });
    const full = new Peer({
      files: {
        ...files,
        async openWrite(path, mode) {
          const opened = await files.openWrite(path, mode);
          if (!opened.ok) return opened;
          const file = opened.value;
          return {
            ok: true,
            value: {
              placement: 'staged',
              write: async (bytes, at) =>
                at > 0 ? { ok: false, fault: { code: 'storage-full' } } : file.write(bytes, at),
              read: file.read.bind(file),
              attributes: file.attributes.bind(file),
              setAttributes: file.setAttributes.bind(file),
              sync: file.sync.bind(file),
              commit: file.commit.bind(file),
              abandon: file.abandon.bind(file),
            },
          };
        },
      },
    });
    await full.greet();
    const handle = await full.handle((id) => ask.open(id, '/a', WRITE | CREATE | TRUNCATE));
    expect(await full.code((id) => ask.write(id, handle, 0, 'begin'))).toBe(OK);
    expect(await full.call((id) => ask.write(id, handle, 5, 'rest'))).toMatchObject({
      code: FAILURE,
      text: 'There is no space left.',
    });
    expect(await full.code((id) => ask.close(id, handle))).toBe(FAILURE);
    expect(await shown()).toEqual([]);
    expect(full.transfers).toMatchObject([{ outcome: 'failed', reason: 'storage-full' }]);
    full.session.abort();
    await full.closed;
  });

  it('of a session that ends never appear', async () => {
    const handle = await peer.handle((id) => ask.open(id, '/a', WRITE | CREATE | TRUNCATE));
    await peer.call((id) => ask.write(id, handle, 0, 'begin'));
    peer.session.abort();
    expect(await peer.closed).toBeUndefined();
    expect(await shown()).toEqual([]);
    expect(peer.transfers).toEqual([
      { direction: 'upload', path: '/a', bytes: 5, outcome: 'cut', reason: 'transfer-cut' },
    ]);
  });

  it('asked for before the end of the stream are still completed', async () => {
    const handle = await peer.handle((id) => ask.open(id, '/a', WRITE | CREATE | TRUNCATE));
    peer.give(ask.write(50, handle, 0, 'all of it'), ask.close(51, handle));
    peer.session.end();
    expect(await peer.closed).toBeUndefined();
    expect(await readFile(on('a'), 'utf8')).toBe('all of it');
    expect(peer.replies.slice(-2)).toMatchObject([
      { id: 50, code: OK },
      { id: 51, code: OK },
    ]);
  });
});

describe('names', () => {
  beforeEach(() => peer.greet());

  it('have attributes', async () => {
    await put('/a', 'hello');
    await peer.call((id) => ask.setstat(id, '/a', { mode: 0o600, times: [5, 6] }));
    for (const request of [ask.stat, ask.lstat]) {
      expect(await peer.call((id) => request(id, '/a'))).toMatchObject({
        type: 'attrs',
        attributes: { size: 5, mode: 0o100600, times: [5, 6] },
      });
    }
    expect(await peer.code((id) => ask.setstat(id, '/a', { size: 2 }))).toBe(OK);
    expect(await readFile(on('a'), 'utf8')).toBe('he');
    expect(await peer.code((id) => ask.stat(id, '/none'))).toBe(NO_FILE);
    expect(await peer.call((id) => ask.stat(id, '/'))).toMatchObject({ type: 'attrs' });
  });

  it('keep their owner', async () => {
    await put('/a', 'hello');
    const { uid, gid } = await stat(on('a'));
    expect(await peer.code((id) => ask.setstat(id, '/a', { owner: [uid, gid] }))).toBe(OK);
    expect(await peer.code((id) => ask.setstat(id, '/a', { owner: [uid + 1, gid] }))).toBe(UNSUPPORTED);
  });

  it('are made, moved and removed', async () => {
    expect(await peer.code((id) => ask.mkdir(id, '/d', { mode: 0o755 }))).toBe(OK);
    expect(await peer.code((id) => ask.mkdir(id, '/d'))).toBe(FAILURE);
    await put('/d/a', 'a');
    await put('/d/b', 'b');
    expect(await peer.code((id) => ask.rename(id, '/d/a', '/d/b'))).toBe(FAILURE);
    expect(await peer.code((id) => ask.rename(id, '/d/a', '/d/c'))).toBe(OK);
    const over = (id: number) =>
      ask.extended(id, 'posix-rename@openssh.com', (w) => w.string('/d/c').string('/d/b'));
    expect(await peer.code(over)).toBe(OK);
    expect(await readFile(on('d/b'), 'utf8')).toBe('a');
    expect(await peer.code((id) => ask.rmdir(id, '/d'))).toBe(FAILURE);
    expect(await peer.code((id) => ask.remove(id, '/d/b'))).toBe(OK);
    expect(await peer.code((id) => ask.rmdir(id, '/d'))).toBe(OK);
  });

  it('resolve inside the home', async () => {
    const resolved = async (path: string) => {
      const reply = await peer.call((id) => ask.realpath(id, path));
      return reply.type === 'name' ? reply.entries[0]?.name : reply;
    };
    expect(await resolved('.')).toBe('/');
    expect(await resolved('a/../b/./c')).toBe('/b/c');
    expect(await resolved('../../etc')).toBe('/etc');
    expect(await peer.code((id) => ask.realpath(id, 'a\0b'))).toBe(NO_FILE);
  });

  it('are listed in batches', async () => {
    const names = Array.from({ length: 300 }, (_, i) => `file-${i}`);
    await Promise.all(names.map((name) => writeFile(on(name), name)));
    const handle = await peer.handle((id) => ask.opendir(id, '/'));
    const seen: string[] = [];
    for (;;) {
      const reply = await peer.call((id) => ask.readdir(id, handle));
      if (reply.type !== 'name') {
        expect(reply).toMatchObject({ type: 'status', code: EOF });
        break;
      }
      expect(reply.entries[0]?.longname).toMatch(/^-rw/);
      seen.push(...reply.entries.map((entry) => entry.name));
    }
    expect(seen.sort()).toEqual(names.sort());
    expect(await peer.code((id) => ask.read(id, handle, 0, 1))).toBe(FAILURE);
    expect(await peer.call((id) => ask.fstat(id, handle))).toMatchObject({ type: 'attrs' });
    expect(await peer.code((id) => ask.close(id, handle))).toBe(OK);
    expect(await peer.code((id) => ask.opendir(id, '/file-1'))).toBe(FAILURE);
  });
});

describe('refusals', () => {
  beforeEach(() => peer.greet());

  it('of operations that we do not have leave the session alone', async () => {
    expect(await peer.code((id) => ask.symlink(id, '/a', '/b'))).toBe(UNSUPPORTED);
    expect(await peer.code((id) => ask.extended(id, 'statvfs@example.com', (w) => w.string('/')))).toBe(
      UNSUPPORTED,
    );
    expect(await peer.call((id) => ask.extended(id, 'limits@openssh.com'))).toMatchObject({
      limits: [262_144, 261_120, 261_120, 256],
    });
  });

  it('of too many handles', async () => {
    await writeFile(on('a'), 'x');
    for (let i = 0; i < 256; i++) await peer.handle((id) => ask.open(id, '/a', READ));
    expect(await peer.call((id) => ask.open(id, '/a', READ))).toMatchObject({
      code: FAILURE,
      text: 'Too many open files.',
    });
    expect(await peer.code((id) => ask.close(id, new Uint8Array([0, 0, 0, 9])))).toBe(OK);
    expect((await peer.handle((id) => ask.open(id, '/a', READ))).length).toBe(4);
  });

  it('of a draining server leave running transfers alone', async () => {
    let admits = true;
    const draining = new Peer({
      files: diskFileSystem({ home, uploadMode: 'staged' }),
      admits: () => admits,
    });
    await draining.greet();
    const handle = await draining.handle((id) => ask.open(id, '/a', WRITE | CREATE | TRUNCATE));
    admits = false;
    expect(await draining.code((id) => ask.open(id, '/b', WRITE | CREATE))).toBe(FAILURE);
    expect(await draining.code((id) => ask.mkdir(id, '/d'))).toBe(FAILURE);
    expect(await draining.code((id) => ask.opendir(id, '/'))).toBe(FAILURE);
    expect(await draining.code((id) => ask.write(id, handle, 0, 'done'))).toBe(OK);
    expect(await draining.code((id) => ask.close(id, handle))).toBe(OK);
    expect(await readFile(on('a'), 'utf8')).toBe('done');
    draining.session.abort();
    await draining.closed;
  });

  it('of a malformed packet end the session', async () => {
    peer.give(clientPacket(17, (w) => w.uint32(1).string('/').uint8(0)));
    expect(await peer.closed).toMatchObject({ code: 'message-malformed' });
  });

  it('never show a detail', async () => {
    const reply = (await peer.call((id) => ask.stat(id, '/secret-name'))) as Extract<
      Received,
      { text: string }
    >;
    expect(reply.text).toBe('No such file or directory.');
  });
});
