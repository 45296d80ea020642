import { readFileSync, realpathSync } from 'node:fs';
import { type DiskCalls, directCalls, pooledCalls } from './disk-calls.ts';
import { DiskPace } from './disk-pace.ts';

/** File systems of this machine: they answer about names and attributes from memory, as a rule. */
const onDevice = new Set(['ext2', 'ext3', 'ext4', 'xfs', 'btrfs', 'zfs', 'f2fs', 'bcachefs', 'overlay']);
const inMemory = new Set(['tmpfs', 'ramfs']);

/** Where the files below a folder lie: `remote` where any part of them may be beyond this machine, or is not known. */
export type Storage = 'memory' | 'device' | 'remote';

const storageOf = (type: string): Storage =>
  inMemory.has(type) ? 'memory' : onDevice.has(type) ? 'device' : 'remote';

/** In `mountinfo`, spaces and their like are octal. */
const unescaped = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

const parts = (path: string): string[] => path.split('/').filter((name) => name !== '');
const isBelow = (path: string, above: string): boolean => {
  const names = parts(path);
  return parts(above).every((name, at) => names[at] === name);
};

/**
 * Where everything below a folder lies: the mount that it is on, and all mounts below it.
 *
 * @param folder absolute path without links
 * @param mountinfo the text of /proc/self/mountinfo (proc(5))
 */
export function storageBelow(folder: string, mountinfo: string): Storage {
  const mounts = mountinfo.split('\n').flatMap((line) => {
    const [place, kind] = line.split(' - ');
    const point = place?.split(' ')[4];
    const type = kind?.split(' ')[0];
    return point === undefined || type === undefined ? [] : [{ point: unescaped(point), type }];
  });
  // A later mount covers an earlier one at the same place.
  let own: (typeof mounts)[number] | undefined;
  for (const mount of mounts) {
    if (!isBelow(folder, mount.point)) continue;
    if (!own || parts(mount.point).length >= parts(own.point).length) own = mount;
  }
  if (!own) return 'remote';
  const below = mounts.filter(
    ({ point }) => isBelow(point, folder) && parts(point).length > parts(folder).length,
  );
  const all = [own, ...below].map(({ type }) => storageOf(type));
  if (all.includes('remote')) return 'remote';
  return all.includes('device') ? 'device' : 'memory';
}

/**
 * How calls on the files below a folder are made: at once on file systems of this machine, in the pool on all others,
 * which may let one wait for a network, and where it cannot be known (Linux says it). Mounts that come later are not
 * seen.
 *
 * @param folder absolute path
 */
export function diskCallsBelow(folder: string): DiskCalls {
  let storage: Storage;
  try {
    storage = storageBelow(realpathSync(folder), readFileSync('/proc/self/mountinfo', 'utf8'));
  } catch {
    storage = 'remote';
  }
  return storage === 'remote' ? pooledCalls : directCalls(new DiskPace(), storage);
}
