export type { DiskCalls } from './disk-calls.ts';
export { type DiskOptions, diskFileSystem } from './disk-filesystem.ts';
export { openHome } from './disk-home.ts';
export { diskCallsBelow } from './disk-mounts.ts';
