export { authorize, type FileGrant } from './authorize.ts';
export type {
  AttributeChange,
  DirectoryEntry,
  FileAttributes,
  FileKind,
  FileSystem,
  ReadHandle,
  StorageSpace,
  WriteHandle,
  WriteMode,
} from './filesystem.ts';
export { guardedFileSystem } from './guarded.ts';
export {
  childOf,
  maxNameBytes,
  maxPathBytes,
  nameOf,
  namesOf,
  parentOf,
  rootPath,
  type VirtualPath,
  virtualPath,
} from './path.ts';
