import type { Result } from '@sallyport/faults';
import type { FileOperation } from '@sallyport/model';
import type { VirtualPath } from './path.ts';

/** What a path is. A symbolic link is reported as one by `lstat` and `list`, and followed by `stat` inside the home. */
export type FileKind = 'file' | 'directory' | 'link' | 'other';

/** Attributes of a file. Times are milliseconds since the epoch; `mode` holds the permission bits only. */
export type FileAttributes = {
  readonly kind: FileKind;
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly modifiedAt: number;
  readonly accessedAt: number;
  /** The same for every name of the same file; opaque. */
  readonly identity?: string;
  /** Not a file yet but a cut upload of the account, which waits to be continued. */
  readonly unfinished?: true;
};

export type DirectoryEntry = { readonly name: string; readonly attributes: FileAttributes };

/** What `setAttributes` changes; a field left out stays. */
export type AttributeChange = {
  readonly size?: number;
  readonly mode?: number;
  readonly modifiedAt?: number;
  readonly accessedAt?: number;
};

/** A file open for reading. Reads may overlap; each fills as much of `into` as the file holds at `position`. */
export interface ReadHandle {
  /** @returns the bytes read; 0 at the end of the file */
  read(into: Uint8Array, position: number): Promise<Result<number>>;
  attributes(): Promise<Result<FileAttributes>>;
  close(): Promise<void>;
}

/**
 * A file open for writing. Nothing is visible under its name before `commit` when it is staged;
 * after `commit` or `abandon` the handle is closed and refuses every call with `handle-invalid`.
 */
export interface WriteHandle {
  readonly placement: 'staged' | 'in-place';
  /** Writes all of `bytes` at `position`; writes may overlap. */
  write(bytes: Uint8Array, position: number): Promise<Result<void>>;
  /** Reads back what was written (SFTP opens with READ and WRITE together). */
  read(into: Uint8Array, position: number): Promise<Result<number>>;
  attributes(): Promise<Result<FileAttributes>>;
  setAttributes(change: AttributeChange): Promise<Result<void>>;
  /** Makes the bytes durable without giving them their name (fsync@openssh.com). */
  sync(): Promise<Result<void>>;
  /** fsync, then, if staged, rename to the final name. */
  commit(): Promise<Result<void>>;
  /**
   * The transfer was cut: a staged file never appears; an in-place one keeps what was written.
   *
   * @param whatIsThere `keep` (default): a cut upload waits for a day to be continued by the same account, as far as
   *   it is whole from its beginning; `discard`: what was written is not to be used
   */
  abandon(whatIsThere?: 'keep' | 'discard'): Promise<void>;
}

/**
 * How a file is opened for writing.
 * `create`: must not exist (O_EXCL). `replace`: created or truncated. `update`: must exist, bytes outside the writes stay;
 * a cut upload of the same account exists as far as it goes, and is continued.
 * `update-or-create`: as `update`; where it is missing, as `continue` (SFTP WRITE+CREAT without TRUNC, FTP APPE).
 * `continue`: as `create`, but goes on with a cut upload of the same account to the same path: the handle's size says
 * what is there already.
 */
export type WriteMode = 'create' | 'replace' | 'update' | 'update-or-create' | 'continue';

/** Room of the file system that a path is on; sizes in bytes, counts of files. */
export type StorageSpace = {
  readonly blockSize: number;
  readonly blocks: number;
  readonly freeBlocks: number;
  /** Free for those who are not the superuser. */
  readonly availableBlocks: number;
  readonly files: number;
  readonly freeFiles: number;
};

/**
 * The files of one account: every path is below its home and every method refuses to leave it.
 * Expected refusals are values with the file codes of the fault table; the promise rejects only for bugs.
 */
export interface FileSystem {
  /** What the account may do at a path, whatever is there. For show: every call asks for itself. */
  permits(path: VirtualPath): readonly FileOperation[];
  /** Follows links that stay inside the home. Where there is no file, a cut upload of the account is reported. */
  stat(path: VirtualPath): Promise<Result<FileAttributes>>;
  /** Reports a link as a link. */
  lstat(path: VirtualPath): Promise<Result<FileAttributes>>;
  /** Entries without `.` and `..`, in the order of the disk, in batches so that a large directory needs no large memory. */
  list(path: VirtualPath): Promise<Result<AsyncIterable<readonly DirectoryEntry[]>>>;
  openRead(path: VirtualPath): Promise<Result<ReadHandle>>;
  openWrite(path: VirtualPath, mode: WriteMode, fileMode?: number): Promise<Result<WriteHandle>>;
  /** @param links `stay`: a link's own attributes are changed, its times alone can be. Default `follow`. */
  setAttributes(path: VirtualPath, change: AttributeChange, links?: 'follow' | 'stay'): Promise<Result<void>>;
  /** The target of a link as a path of the client: absolute, or relative as it stands. Never one outside the home. */
  readLink(path: VirtualPath): Promise<Result<string>>;
  /** A second name for a file (link(2)); `file-exists` where the name is taken. */
  link(existing: VirtualPath, name: VirtualPath): Promise<Result<void>>;
  space(path: VirtualPath): Promise<Result<StorageSpace>>;
  /** `refuse`: SFTP v3 RENAME, `file-exists` where the target is there. `replace`: posix-rename, FTP RNTO. */
  rename(from: VirtualPath, to: VirtualPath, existing: 'refuse' | 'replace'): Promise<Result<void>>;
  removeFile(path: VirtualPath): Promise<Result<void>>;
  makeDirectory(path: VirtualPath, fileMode?: number): Promise<Result<void>>;
  removeDirectory(path: VirtualPath): Promise<Result<void>>;
}
