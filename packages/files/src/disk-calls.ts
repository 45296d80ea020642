import type { Stats } from 'node:fs';
import * as fs from 'node:fs';
import * as pooled from 'node:fs/promises';
import { promisify } from 'node:util';
import type { DiskPace } from './disk-pace.ts';

/**
 * The system calls whose answer a local file system usually has in memory. Each throws what the system says.
 * `rename` is for names that replace nothing: giving the blocks of a large file back takes time.
 */
export interface DiskCalls {
  open(path: string, flags: number, mode?: number): Promise<number>;
  close(fd: number): Promise<void>;
  lstat(path: string): Promise<Stats>;
  /** Nothing where there is nothing. */
  lstatIfThere(path: string): Promise<Stats | undefined>;
  stat(path: string): Promise<Stats>;
  fstat(fd: number): Promise<Stats>;
  access(path: string, mode: number): Promise<void>;
  link(existing: string, path: string): Promise<void>;
  /** For one of several names of a file. */
  unlink(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** The size of a file where that costs nothing; else nothing. */
  sizeAtOnce(fd: number): number | undefined;
  /** @returns bytes read; 0 at the end */
  read(fd: number, into: Uint8Array, position: number): Promise<number>;
  /** @returns bytes written, maybe fewer than there are */
  write(fd: number, bytes: Uint8Array, position: number): Promise<number>;
  fsync(fd: number): Promise<void>;
}

const inPool = {
  open: promisify(fs.open),
  close: promisify(fs.close),
  fstat: promisify<number, Stats>(fs.fstat),
  fsync: promisify(fs.fsync),
};

/** Every call in a thread of libuv's pool: what a disk needs that may let one wait. */
export const pooledCalls: DiskCalls = {
  open: (path, flags, mode) => inPool.open(path, flags, mode),
  close: inPool.close,
  lstat: (path) => pooled.lstat(path),
  async lstatIfThere(path) {
    try {
      return await pooled.lstat(path);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  },
  stat: (path) => pooled.stat(path),
  fstat: inPool.fstat,
  access: pooled.access,
  link: pooled.link,
  unlink: pooled.unlink,
  rename: pooled.rename,
  sizeAtOnce: () => undefined,
  read: (fd, into, position) =>
    new Promise((resolve, reject) => {
      fs.read(fd, into, 0, into.length, position, (error, count) => (error ? reject(error) : resolve(count)));
    }),
  write: (fd, bytes, position) =>
    new Promise((resolve, reject) => {
      fs.write(fd, bytes, 0, bytes.length, position, (error, count) =>
        error ? reject(error) : resolve(count),
      );
    }),
  fsync: inPool.fsync,
};

/** Has somebody removed the file while it was open? Whoever closes it last gives its blocks back. */
const isRemoved = (fd: number): boolean => {
  try {
    return fs.fstatSync(fd).nlink === 0;
  } catch {
    return false;
  }
};

/** Data up to this size are copied in less time than it takes to hand them to another thread. */
const smallBytes = 64 * 1024;

/**
 * Calls made in the thread that asks, as long as the disk answers promptly, and then in the pool for a while: a turn of
 * the pool costs ten times what the call does. Large data always go through the pool.
 *
 * @param durability `memory`: nothing on this file system outlives the machine, and fsync does nothing;
 *   `device`: it waits for a device, in the pool
 */
export function directCalls(pace: DiskPace, durability: 'memory' | 'device'): DiskCalls {
  /** Not `async`: the call is made at once, and what it throws rejects. */
  function promptly<T>(direct: () => T, otherwise: () => Promise<T>): Promise<T> {
    if (!pace.isPrompt) return otherwise();
    try {
      return Promise.resolve(pace.time(direct));
    } catch (error) {
      return Promise.reject(error);
    }
  }
  return {
    open: (path, flags, mode) =>
      promptly(
        () => fs.openSync(path, flags, mode),
        () => pooledCalls.open(path, flags, mode),
      ),
    close: (fd) =>
      pace.isPrompt && isRemoved(fd)
        ? pooledCalls.close(fd)
        : promptly(
            () => fs.closeSync(fd),
            () => pooledCalls.close(fd),
          ),
    lstat: (path) =>
      promptly(
        () => fs.lstatSync(path),
        () => pooledCalls.lstat(path),
      ),
    lstatIfThere: (path) =>
      promptly(
        () => fs.lstatSync(path, { throwIfNoEntry: false }),
        () => pooledCalls.lstatIfThere(path),
      ),
    stat: (path) =>
      promptly(
        () => fs.statSync(path),
        () => pooledCalls.stat(path),
      ),
    fstat: (fd) =>
      promptly(
        () => fs.fstatSync(fd),
        () => pooledCalls.fstat(fd),
      ),
    access: (path, mode) =>
      promptly(
        () => fs.accessSync(path, mode),
        () => pooledCalls.access(path, mode),
      ),
    link: (existing, path) =>
      promptly(
        () => fs.linkSync(existing, path),
        () => pooledCalls.link(existing, path),
      ),
    unlink: (path) =>
      promptly(
        () => fs.unlinkSync(path),
        () => pooledCalls.unlink(path),
      ),
    rename: (from, to) =>
      promptly(
        () => fs.renameSync(from, to),
        () => pooledCalls.rename(from, to),
      ),
    sizeAtOnce: (fd) => (pace.isPrompt ? pace.time(() => fs.fstatSync(fd)).size : undefined),
    read: (fd, into, position) =>
      into.length > smallBytes
        ? pooledCalls.read(fd, into, position)
        : promptly(
            () => fs.readSync(fd, into, 0, into.length, position),
            () => pooledCalls.read(fd, into, position),
          ),
    write: (fd, bytes, position) =>
      bytes.length > smallBytes
        ? pooledCalls.write(fd, bytes, position)
        : promptly(
            () => fs.writeSync(fd, bytes, 0, bytes.length, position),
            () => pooledCalls.write(fd, bytes, position),
          ),
    fsync: (fd) =>
      durability === 'memory'
        ? promptly(
            () => fs.fsyncSync(fd),
            () => pooledCalls.fsync(fd),
          )
        : pooledCalls.fsync(fd),
  };
}
