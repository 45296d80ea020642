import { BufferPool } from '@sallyport/sftp';
import { PaddingPool } from './packet-padding.ts';

/** Most that is read from a socket at once. */
const readBytes = 256 * 1024;
/** Room before it for the beginning of a packet that came with the last read. */
const headroom = 36 * 1024;
/** Bytes of the packets that are written to a socket at once: eight of the largest. */
const writeBytes = 8 * 32_896;
/** Buffers that are kept for the next use, in the whole process. */
const keptWriteBuffers = 16;
const keptFileBuffers = 32;

/** Windows may grow by this much in the whole process. */
const windowBudget = 256 * 1024 * 1024;

/**
 * Memory that all transfers of a process share: no session holds any of it while nothing moves. What is fresh at
 * hundreds of megabytes a second costs more to clear and collect than all that is done with it.
 */
export class TransferMemory {
  /**
   * Where every socket is read into, one at a time: whoever is given bytes in it is done with them when it returns.
   * Reads begin at `readFrom`; what is left of a packet is put back before that.
   */
  readonly reading = Buffer.allocUnsafeSlow(headroom + readBytes);
  readonly readFrom = headroom;
  readonly padding = new PaddingPool();
  /** Buffers for files on their way. */
  readonly files = new BufferPool(keptFileBuffers);
  readonly writeBytes = writeBytes;
  readonly #writing: Buffer[] = [];
  #windows = windowBudget;

  /** A buffer of `writeBytes` bytes, not cleared. */
  takeWriteBuffer(): Buffer {
    return this.#writing.pop() ?? Buffer.allocUnsafeSlow(writeBytes);
  }

  /** Takes a buffer back that nobody looks at any more. */
  giveWriteBuffer(buffer: Buffer): void {
    if (this.#writing.length < keptWriteBuffers) this.#writing.push(buffer);
  }

  /** Lets a window grow by that many bytes, if the process can hold them. */
  growWindow(bytes: number): boolean {
    if (bytes > this.#windows) return false;
    this.#windows -= bytes;
    return true;
  }

  /** A window that had grown by that much is closed. */
  shrinkWindow(bytes: number): void {
    this.#windows += bytes;
  }
}
