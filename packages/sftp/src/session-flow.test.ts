import type { FileSystem, ReadHandle, VirtualPath, WriteHandle } from '@sallyport/files';
import { describe, expect, it } from 'vitest';
import { ask, Peer } from './fixture/peer.ts';

const attributes = {
  kind: 'file',
  size: 1e9,
  mode: 0o644,
  uid: 0,
  gid: 0,
  modifiedAt: 0,
  accessedAt: 0,
} as const;
const unused = async (): Promise<never> => {
  throw new Error('not part of this test');
};
const nothing = async () => ({ ok: true, value: undefined }) as const;

/** A file system whose calls are finished by the test, in the order it likes. */
function gated() {
  const calls: { name: string; finish: () => void }[] = [];
  const gate = (name: string) => new Promise<void>((finish) => calls.push({ name, finish }));
  const readHandle: ReadHandle = {
    async read(into, position) {
      await gate(`read ${position}`);
      return { ok: true, value: into.length };
    },
    attributes: async () => ({ ok: true, value: attributes }),
    close: async () => {},
  };
  const writeHandle: WriteHandle = {
    placement: 'staged',
    async write(_, position) {
      await gate(`write ${position}`);
      return { ok: true, value: undefined };
    },
    read: unused,
    attributes: async () => ({ ok: true, value: attributes }),
    setAttributes: nothing,
    sync: nothing,
    commit: async () => {
      await gate('commit');
      return { ok: true, value: undefined };
    },
    abandon: async () => {},
  };
  const files: FileSystem = {
    permits: () => [],
    stat: async (path: VirtualPath) => {
      await gate(`stat ${path}`);
      return { ok: true, value: attributes };
    },
    lstat: unused,
    list: async () => {
      let batch = 0;
      return {
        ok: true,
        value: (async function* () {
          while (batch < 3) {
            await gate(`list ${batch}`);
            yield [{ name: `entry-${batch++}`, attributes }];
          }
        })(),
      };
    },
    openRead: async () => ({ ok: true, value: readHandle }),
    openWrite: async () => ({ ok: true, value: writeHandle }),
    setAttributes: unused,
    readLink: unused,
    link: unused,
    space: unused,
    rename: unused,
    removeFile: unused,
    makeDirectory: unused,
    removeDirectory: unused,
  };
  const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
  return {
    files,
    /** Names of the calls that wait, in the order they were made. */
    waiting: async () => {
      await settled();
      return calls.map((call) => call.name);
    },
    async finish(name: string) {
      await settled();
      const at = calls.findIndex((call) => call.name === name);
      if (at < 0) throw new Error(`${name} is not waiting`);
      calls.splice(at, 1)[0]?.finish();
      await settled();
    },
  };
}

const ids = (peer: Peer) => peer.replies.flatMap((reply) => ('id' in reply ? [reply.id] : []));

describe('pipelined requests', () => {
  it('are written side by side and answered in order', async () => {
    const disk = gated();
    const peer = new Peer({ files: disk.files });
    await peer.greet();
    const handle = await peer.handle((id) => ask.open(id, '/a', 0x1a));
    peer.give(
      ask.write(10, handle, 0, 'aa'),
      ask.write(11, handle, 2, 'bb'),
      ask.write(12, handle, 4, 'cc'),
      ask.close(13, handle),
      ask.stat(14, '/a'),
      ask.stat(15, '/b'),
    );
    expect(await disk.waiting()).toEqual(['write 0', 'write 2', 'write 4', 'stat /b']);
    await disk.finish('stat /b');
    expect(ids(peer).slice(1)).toEqual([15]);
    await disk.finish('write 4');
    await disk.finish('write 2');
    expect(ids(peer).slice(1)).toEqual([15]);
    await disk.finish('write 0');
    expect(ids(peer).slice(1)).toEqual([15, 10, 11, 12]);
    expect(await disk.waiting()).toEqual(['commit']);
    await disk.finish('commit');
    await disk.finish('stat /a');
    expect(ids(peer).slice(1)).toEqual([15, 10, 11, 12, 13, 14]);
    peer.session.abort();
    await peer.closed;
  });

  it('list a directory in order', async () => {
    const disk = gated();
    const peer = new Peer({ files: disk.files });
    await peer.greet();
    const handle = await peer.handle((id) => ask.opendir(id, '/'));
    peer.give(...[20, 21, 22, 23, 24].map((id) => ask.readdir(id, handle)));
    for (const batch of [0, 1, 2]) await disk.finish(`list ${batch}`);
    await peer.until(7);
    expect(
      peer.replies.slice(2).map((reply) => (reply.type === 'name' ? reply.entries[0]?.name : reply.type)),
    ).toEqual(['entry-0', 'entry-1', 'entry-2', 'status', 'status']);
    peer.session.abort();
    await peer.closed;
  });

  it('to a file that is gone are refused, whatever came first', async () => {
    const disk = gated();
    const peer = new Peer({ files: disk.files });
    await peer.greet();
    const handle = await peer.handle((id) => ask.open(id, '/a', 0x1a));
    peer.give(ask.close(10, handle), ask.write(11, handle, 0, 'late'));
    await disk.finish('commit');
    await peer.until(4);
    expect(peer.replies.slice(2)).toMatchObject([
      { id: 10, code: 0 },
      { id: 11, code: 4 },
    ]);
    peer.session.abort();
    await peer.closed;
  });
});

describe('flow', () => {
  it('holds no more replies than allowed for a client that does not read', async () => {
    const disk = gated();
    const peer = new Peer({ files: disk.files, reads: 'later' });
    await peer.greet();
    const handle = await peer.handle((id) => ask.open(id, '/a', 1));
    peer.give(...Array.from({ length: 100 }, (_, i) => ask.read(100 + i, handle, i * 261_120, 261_120)));
    for (let round = 0; round < 100; round++) {
      const [next] = await disk.waiting();
      if (!next) break;
      await disk.finish(next);
    }
    expect(peer.mostUnread).toBeLessThanOrEqual(1_048_576);
    expect(ids(peer).length).toBe(1 + 4);
    expect(peer.credited).toBeLessThan(peer.given);
    while (ids(peer).length < 101) {
      peer.drain();
      const [next] = await disk.waiting();
      if (next) await disk.finish(next);
    }
    expect(peer.credited).toBe(peer.given);
    expect(peer.mostUnread).toBeLessThanOrEqual(1_048_576);
    peer.session.abort();
    await peer.closed;
  });

  it('holds small replies back as well', async () => {
    const peer = new Peer({
      files: { ...gated().files, stat: async () => ({ ok: true, value: attributes }) },
      reads: 'later',
    });
    await peer.greet();
    for (let i = 0; i < 30_000; i++) peer.give(ask.stat(i, '/a'));
    for (let i = 0; i < 2_000; i++) await Promise.resolve();
    peer.give(...Array.from({ length: 1_000 }, (_, i) => ask.symlink(i, '/x', '/y')));
    for (let round = 0; round < 100; round++) await new Promise(setImmediate);
    expect(peer.mostUnread).toBeLessThanOrEqual(1_048_576 + 1_024);
    expect(peer.credited).toBeLessThan(peer.given);
    peer.session.abort();
    await peer.closed;
  });

  it('credits a write when it is on the disk', async () => {
    const disk = gated();
    const peer = new Peer({ files: disk.files });
    await peer.greet();
    const handle = await peer.handle((id) => ask.open(id, '/a', 0x1a));
    const before = peer.credited;
    const packet = ask.write(10, handle, 0, new Uint8Array(100_000));
    peer.give(packet);
    await disk.waiting();
    expect(peer.credited).toBe(before);
    await disk.finish('write 0');
    expect(peer.credited).toBe(before + packet.length);
    peer.session.abort();
    await peer.closed;
  });

  it('waits for what is running before it closes', async () => {
    const disk = gated();
    const peer = new Peer({ files: disk.files });
    await peer.greet();
    const handle = await peer.handle((id) => ask.open(id, '/a', 0x1a));
    peer.give(ask.write(10, handle, 0, 'x'), ask.write(11, handle, 0, 'y'));
    peer.session.abort();
    let closed = false;
    void peer.closed.then(() => {
      closed = true;
    });
    expect(await disk.waiting()).toEqual(['write 0']);
    expect(closed).toBe(false);
    await disk.finish('write 0');
    await peer.closed;
    expect(peer.replies.length).toBe(2);
    expect(peer.transfers).toMatchObject([{ outcome: 'cut' }]);
  });
});
