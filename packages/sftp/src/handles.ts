import type { Fault } from '@sallyport/faults';
import { ok, type Result, refuse } from '@sallyport/faults';
import type { DirectoryEntry, ReadHandle, VirtualPath, WriteHandle } from '@sallyport/files';

/** A file that is being sent to the client. */
export type OpenDownload = {
  readonly kind: 'download';
  readonly path: VirtualPath;
  readonly file: ReadHandle;
  /** Bytes sent so far, and whether the last byte was among them; for the transfer report. */
  bytes: number;
  reachedEnd: boolean;
  requested: boolean;
};

/** A file that is being received, perhaps read back as well. */
export type OpenUpload = {
  readonly kind: 'upload';
  readonly path: VirtualPath;
  readonly file: WriteHandle;
  readonly readable: boolean;
  /** Where the next write of an APPEND handle goes; absent: writes go where they say. */
  appendAt: number | undefined;
  bytes: number;
  /** The first write that failed: the file has a hole and must not be committed. */
  failure: Fault | undefined;
};

/** A directory that is being listed. */
export type OpenDirectory = {
  readonly kind: 'directory';
  readonly path: VirtualPath;
  readonly batches: AsyncIterator<readonly DirectoryEntry[]>;
  /** Entries read from the disk and not sent yet. */
  waiting: readonly DirectoryEntry[];
};

export type OpenHandle = OpenDownload | OpenUpload | OpenDirectory;

/**
 * The handles of one session. A handle is a four-byte counter: it means something in its own session only,
 * and a number is not used again while the session lasts long enough to matter.
 */
export class HandleTable {
  readonly #open = new Map<number, OpenHandle>();
  readonly #limit: number;
  #reserved = 0;
  #next = 0;

  /** @param limit most handles open at the same time */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Holds a place for a handle that is being opened; `handle-limit` where there is none. */
  reserve(): Result<void> {
    if (this.#open.size + this.#reserved >= this.#limit) {
      return refuse('handle-limit', `${this.#limit} handles are open`);
    }
    this.#reserved++;
    return ok(undefined);
  }

  /** Gives a reserved place back: the open failed. */
  release(): void {
    this.#reserved--;
  }

  /** Puts an opened handle into its reserved place; the four bytes that name it. */
  add(handle: OpenHandle): Uint8Array {
    this.#reserved--;
    while (this.#open.has(this.#next)) this.#next = (this.#next + 1) >>> 0;
    const number = this.#next;
    this.#next = (this.#next + 1) >>> 0;
    this.#open.set(number, handle);
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, number);
    return bytes;
  }

  get(number: number): OpenHandle | undefined {
    return this.#open.get(number);
  }

  /** An upload that waits for its name, which this session is writing to that path. */
  stagedUpload(path: VirtualPath): OpenUpload | undefined {
    for (const handle of this.#open.values()) {
      if (handle.kind === 'upload' && handle.path === path && handle.file.placement === 'staged')
        return handle;
    }
    return undefined;
  }

  /** Takes a handle out of the table; nothing where it is gone already. */
  take(number: number): OpenHandle | undefined {
    const handle = this.#open.get(number);
    this.#open.delete(number);
    return handle;
  }

  /** Takes all of them out: the session is over. */
  takeAll(): OpenHandle[] {
    const all = [...this.#open.values()];
    this.#open.clear();
    return all;
  }
}
