import type { Result } from '@sallyport/faults';
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
  /** The transfer was cut: a staged file never appears; an in-place one keeps what was written. */
  abandon(): Promise<void>;
}

/**
 * How a file is opened for writing.
 * `create`: must not exist (O_EXCL). `replace`: created or truncated. `update`: must exist, bytes outside the writes stay.
 * `update-or-create`: as `update`, made empty where it is missing (SFTP WRITE+CREAT without TRUNC, FTP APPE).
 */
export type WriteMode = 'create' | 'replace' | 'update' | 'update-or-create';

/**
 * The files of one account: every path is below its home and every method refuses to leave it.
 * Expected refusals are values with the file codes of the fault table; the promise rejects only for bugs.
 */
export interface FileSystem {
  /** Follows links that stay inside the home. */
  stat(path: VirtualPath): Promise<Result<FileAttributes>>;
  /** Reports a link as a link. */
  lstat(path: VirtualPath): Promise<Result<FileAttributes>>;
  /** Entries without `.` and `..`, in the order of the disk, in batches so that a large directory needs no large memory. */
  list(path: VirtualPath): Promise<Result<AsyncIterable<readonly DirectoryEntry[]>>>;
  openRead(path: VirtualPath): Promise<Result<ReadHandle>>;
  openWrite(path: VirtualPath, mode: WriteMode, fileMode?: number): Promise<Result<WriteHandle>>;
  setAttributes(path: VirtualPath, change: AttributeChange): Promise<Result<void>>;
  /** `refuse`: SFTP v3 RENAME, `file-exists` where the target is there. `replace`: posix-rename, FTP RNTO. */
  rename(from: VirtualPath, to: VirtualPath, existing: 'refuse' | 'replace'): Promise<Result<void>>;
  removeFile(path: VirtualPath): Promise<Result<void>>;
  makeDirectory(path: VirtualPath, fileMode?: number): Promise<Result<void>>;
  removeDirectory(path: VirtualPath): Promise<Result<void>>;
}
