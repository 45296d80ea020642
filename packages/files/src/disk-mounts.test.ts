import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { diskCallsBelow, storageBelow } from './disk-mounts.ts';

const mountinfo = `21 26 0:20 / /proc rw,relatime - proc proc rw
26 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
24 26 0:22 / /dev/shm rw,relatime - tmpfs tmpfs rw
30 26 0:40 / /srv/far rw,relatime - nfs4 server:/export rw
31 26 0:41 / /srv/near\\040by rw,relatime - xfs /dev/vdb rw
32 26 0:42 / /home rw,relatime - xfs /dev/vdc rw
33 26 0:43 / /home rw,relatime - fuse.sshfs somewhere: rw
34 26 0:44 / /data rw,relatime - tmpfs tmpfs rw
35 34 0:45 / /data/deep rw,relatime - ext4 /dev/vdd rw
`;

test.each([
  ['/var/files', 'device'],
  ['/dev/shm/files', 'memory'],
  ['/dev/shmfiles', 'device'],
  ['/srv/far/files', 'remote'],
  ['/srv/far', 'remote'],
  // A mount below is part of what is served.
  ['/srv', 'remote'],
  ['/srv/near by/files', 'device'],
  ['/home/files', 'remote'],
  ['/data', 'device'],
  ['/data/shallow', 'memory'],
  ['/', 'remote'],
])('%s is on %s', (folder, storage) => {
  expect(storageBelow(folder, mountinfo)).toBe(storage);
});

test('without a word of the system nothing is taken for local', () => {
  expect(storageBelow('/var/files', '')).toBe('remote');
  expect(storageBelow('/var/files', 'nonsense\n - \n')).toBe('remote');
});

test('calls fit the machine that they are made on', async () => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'sallyport-mounts-')));
  try {
    const calls = diskCallsBelow(folder);
    expect((await calls.stat(folder)).isDirectory()).toBe(true);
    expect(await calls.lstatIfThere(join(folder, 'nothing'))).toBeUndefined();
    await expect(calls.lstat(join(folder, 'nothing'))).rejects.toMatchObject({
      code: 'ENOENT',
      syscall: 'lstat',
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
