import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unwrap } from '@sallyport/faults';
import { virtualPath } from '@sallyport/files';
import { diskFileSystem } from '@sallyport/files/disk';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type RunningTransfer, watchTransfers } from './transfer-watch.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'watch-'));
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(home, { recursive: true });
});

const path = unwrap(virtualPath('/a'));

function watched() {
  let clock = 1_000;
  const lasting: RunningTransfer[] = [];
  const watch = watchTransfers(diskFileSystem({ home, uploadMode: 'staged' }), {
    now: () => clock,
    onLasting: (transfer) => lasting.push(transfer),
  });
  return { ...watch, lasting, at: (ms: number) => (clock = ms) };
}

it('tells when a transfer began, reported before or after its file is closed', async () => {
  const { files, startOf, at } = watched();
  const upload = unwrap(await files.openWrite(path, 'create'));
  await upload.write(new Uint8Array(3), 0);
  at(2_000);
  expect(await upload.commit()).toMatchObject({ ok: true });
  expect(startOf('upload', path)).toBe(1_000);
  const download = unwrap(await files.openRead(path));
  expect(startOf('download', path)).toBe(2_000);
  await download.close();
  expect(startOf('download', path)).toBeUndefined();
});

it('forgets a file that was closed without a word', async () => {
  const { files, startOf } = watched();
  await unwrap(await files.openWrite(path, 'create')).abandon();
  await new Promise(setImmediate);
  expect(startOf('upload', path)).toBeUndefined();
});

it('speaks of a transfer that lasts, once', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { files, lasting } = watched();
  const long = unwrap(await files.openWrite(path, 'create'));
  const short = unwrap(await files.openWrite(unwrap(virtualPath('/b')), 'create'));
  await short.commit();
  vi.advanceTimersByTime(60_000);
  expect(lasting).toEqual([{ direction: 'upload', path: '/a', startedAt: 1_000 }]);
  await long.abandon();
});
