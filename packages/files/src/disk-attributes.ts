import type { Stats } from 'node:fs';
import type { FileAttributes, FileKind } from './filesystem.ts';

function kindOf(stats: Stats): FileKind {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  return stats.isSymbolicLink() ? 'link' : 'other';
}

/** Attributes as the port knows them, of what `stat` answered. */
export const attributesOf = (stats: Stats): FileAttributes => ({
  kind: kindOf(stats),
  size: stats.size,
  mode: stats.mode & 0o777,
  uid: stats.uid,
  gid: stats.gid,
  modifiedAt: stats.mtimeMs,
  accessedAt: stats.atimeMs,
  identity: `${stats.dev.toString(36)}-${stats.ino.toString(36)}`,
});
