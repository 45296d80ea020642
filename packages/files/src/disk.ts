export { type DiskOptions, diskFileSystem } from './disk-filesystem.ts';
export { openHome } from './disk-home.ts';
