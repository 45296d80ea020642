import type { Stats } from 'node:fs';
import * as fs from 'node:fs';
import { promisify } from 'node:util';
import type { DiskCalls } from './disk-calls.ts';

const inPool = {
  truncate: promisify(fs.ftruncate),
  chmod: promisify(fs.fchmod),
  utimes: promisify(fs.futimes),
};

/** An open file. Each call throws what the system says. */
export class DiskFile {
  readonly fd: number;
  readonly #calls: DiskCalls;

  constructor(fd: number, calls: DiskCalls) {
    this.fd = fd;
    this.#calls = calls;
  }

  /** Opens a path with the flags and the mode of open(2). */
  static async open(calls: DiskCalls, path: string, flags: number, mode?: number): Promise<DiskFile> {
    return new DiskFile(await calls.open(path, flags, mode), calls);
  }

  /** Fills `into` from `position` as far as the file goes. @returns bytes read */
  async read(into: Uint8Array, position: number): Promise<number> {
    const size = this.#calls.sizeAtOnce(this.fd);
    // A file that is known to end first need not be asked whether it goes on.
    const wanted = size === undefined ? into.length : Math.min(into.length, Math.max(0, size - position));
    let filled = 0;
    while (filled < wanted) {
      const count = await this.#calls.read(this.fd, into.subarray(filled, wanted), position + filled);
      if (count === 0) break;
      filled += count;
    }
    return filled;
  }

  /** Writes all of `bytes` at `position`. */
  async write(bytes: Uint8Array, position: number): Promise<void> {
    let written = 0;
    while (written < bytes.length) {
      written += await this.#calls.write(this.fd, bytes.subarray(written), position + written);
    }
  }

  stat(): Promise<Stats> {
    return this.#calls.fstat(this.fd);
  }

  truncate(size: number): Promise<void> {
    return inPool.truncate(this.fd, size);
  }

  chmod(mode: number): Promise<void> {
    return inPool.chmod(this.fd, mode);
  }

  /** Times in seconds. */
  utimes(accessedAt: number, modifiedAt: number): Promise<void> {
    return inPool.utimes(this.fd, accessedAt, modifiedAt);
  }

  sync(): Promise<void> {
    return this.#calls.fsync(this.fd);
  }

  close(): Promise<void> {
    return this.#calls.close(this.fd);
  }
}
