import { concat } from '@sallyport/bytes';
import { describe, expect, it } from 'vitest';
import { ask, clientPacket, sendAttributes } from './fixture/peer.ts';
import { decodeInit, decodeRequest } from './request.ts';

const handle = new Uint8Array([0, 0, 0, 7]);
const attributes = { size: 5, owner: [1, 2], mode: 0o100644, times: [10, 20] } as const;
const requests: Record<string, Uint8Array> = {
  open: ask.open(1, '/a', 0x1a, attributes),
  close: ask.close(1, handle),
  read: ask.read(1, handle, 5, 6),
  write: ask.write(1, handle, 5, 'data'),
  lstat: ask.lstat(1, '/a'),
  fstat: ask.fstat(1, handle),
  setstat: ask.setstat(1, '/a', attributes),
  fsetstat: ask.fsetstat(1, handle, attributes),
  opendir: ask.opendir(1, '/a'),
  readdir: ask.readdir(1, handle),
  remove: ask.remove(1, '/a'),
  mkdir: ask.mkdir(1, '/a', { mode: 0o755 }),
  rmdir: ask.rmdir(1, '/a'),
  realpath: ask.realpath(1, '.'),
  stat: ask.stat(1, '/a'),
  rename: ask.rename(1, '/a', '/b'),
  'posix-rename': ask.extended(1, 'posix-rename@openssh.com', (w) => w.string('/a').string('/b')),
  fsync: ask.extended(1, 'fsync@openssh.com', (w) => w.string(handle)),
  limits: ask.extended(1, 'limits@openssh.com'),
  readlink: ask.readlink(1, '/a'),
  hardlink: ask.extended(1, 'hardlink@openssh.com', (w) => w.string('/a').string('/b')),
  statvfs: ask.extended(1, 'statvfs@openssh.com', (w) => w.string('/a')),
  fstatvfs: ask.extended(1, 'fstatvfs@openssh.com', (w) => w.string(handle)),
  lsetstat: ask.extended(1, 'lsetstat@openssh.com', (w) =>
    sendAttributes(w.string('/a'), { times: [10, 20] }),
  ),
  'expand-path': ask.extended(1, 'expand-path@openssh.com', (w) => w.string('~/a')),
  'copy-data': ask.extended(1, 'copy-data', (w) =>
    w.string(handle).uint64(1).uint64(2).string(handle).uint64(3),
  ),
  'names-by-id': ask.extended(1, 'users-groups-by-id@openssh.com', (w) =>
    w.string(new Uint8Array(8)).string(new Uint8Array(4)),
  ),
};
const cases = Object.entries(requests).map(([kind, packet]) => ({ kind, body: packet.subarray(4) }));

describe('decodeRequest', () => {
  it.each(cases)('reads $kind', ({ kind, body }) => {
    expect(decodeRequest(body)).toMatchObject({
      ok: true,
      value: { kind: 'request', request: { kind, id: 1 } },
    });
  });

  it('reads every field', () => {
    expect(decodeRequest(requests.open?.subarray(4) as Uint8Array)).toEqual({
      ok: true,
      value: {
        kind: 'request',
        request: {
          kind: 'open',
          id: 1,
          path: '/a',
          flags: 0x1a,
          attributes: {
            size: 5,
            owner: { uid: 1, gid: 2 },
            mode: 0o644,
            times: { accessed: 10, modified: 20 },
          },
        },
      },
    });
    expect(decodeRequest(requests.write?.subarray(4) as Uint8Array)).toMatchObject({
      value: { request: { handle: 7, offset: 5, data: new TextEncoder().encode('data') } },
    });
  });

  it.each(cases)('refuses $kind cut at every byte', ({ body }) => {
    for (let length = 1; length < body.length; length++) {
      const decoded = decodeRequest(body.subarray(0, length));
      // A cut in the name of an extension makes another name, which is unsupported, not malformed.
      const answered = decoded.ok && decoded.value.kind === 'refused';
      expect(decoded.ok && !answered, `cut at ${length}`).toBe(false);
    }
  });

  it('takes a write with bytes behind its data, as rclone sends it', () => {
    const packet = clientPacket(6, (w) => w.uint32(1).string(handle).uint64(5).string('data').uint64(77));
    expect(decodeRequest(packet.subarray(4))).toMatchObject({
      ok: true,
      value: { kind: 'request', request: { data: new TextEncoder().encode('data') } },
    });
  });

  const exact = cases.filter(({ kind }) => kind !== 'write');
  it.each(exact)('refuses $kind with a byte left over', ({ body }) => {
    expect(decodeRequest(concat(body, new Uint8Array(1)))).toMatchObject({
      ok: false,
      fault: { code: 'message-malformed' },
    });
  });

  it('answers what it does not have as unsupported', () => {
    for (const packet of [
      ask.symlink(9, '/a', '/b'),
      ask.extended(9, 'statvfs@example.com', (w) => w.string('/')),
      clientPacket(77, (w) => w.uint32(9)),
    ]) {
      expect(decodeRequest(packet.subarray(4))).toMatchObject({
        ok: true,
        value: { kind: 'refused', id: 9, fault: { code: 'operation-unsupported' } },
      });
    }
  });

  it('answers values that cannot be used without giving up the stream', () => {
    const notUtf8 = new Uint8Array([0x2f, 0xff]);
    const refusal = (packet: Uint8Array) => {
      const decoded = decodeRequest(packet.subarray(4));
      return decoded.ok && decoded.value.kind === 'refused' ? decoded.value.fault.code : decoded;
    };
    expect(refusal(clientPacket(17, (w) => w.uint32(1).string(notUtf8)))).toBe('path-invalid');
    expect(refusal(ask.close(1, new Uint8Array(5)))).toBe('handle-invalid');
    expect(
      refusal(
        clientPacket(5, (w) => w.uint32(1).string(handle).uint32(0xffff_ffff).uint32(0xffff_ffff).uint32(1)),
      ),
    ).toBe('invalid-request');
  });

  it('keeps a byte order mark in a name', () => {
    expect(decodeRequest(ask.stat(1, '/\ufeffa').subarray(4))).toMatchObject({
      value: { request: { path: '/\ufeffa' } },
    });
  });

  it('bounds extended attributes by the packet', () => {
    const packet = clientPacket(9, (w) => w.uint32(1).string('/a').uint32(0x8000_0000).uint32(0xffff_ffff));
    expect(decodeRequest(packet.subarray(4)).ok).toBe(false);
  });

  it('refuses a second INIT', () => {
    expect(decodeRequest(ask.init().subarray(4)).ok).toBe(false);
  });
});

describe('decodeInit', () => {
  it('reads the version and ignores extensions', () => {
    expect(decodeInit(ask.init(6).subarray(4))).toEqual({ ok: true, value: 6 });
    expect(decodeInit(clientPacket(1, (w) => w.uint32(3).string('x').string('y')).subarray(4)).ok).toBe(true);
  });
  it('refuses another packet in its place', () => {
    expect(decodeInit(ask.stat(1, '/').subarray(4)).ok).toBe(false);
  });
});
