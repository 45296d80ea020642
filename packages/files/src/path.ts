import { ok, type Result, refuse } from '@sallyport/faults';

declare const brand: unique symbol;

/** An absolute, normalised path below an account's home: `/`, `/in/report.csv`. Only `virtualPath` makes one. */
export type VirtualPath = string & { readonly [brand]: 'VirtualPath' };

/** Longest path and longest name that we take (POSIX PATH_MAX and NAME_MAX on Linux). */
export const maxPathBytes = 4096;
export const maxNameBytes = 255;

export const rootPath = '/' as VirtualPath;

/**
 * Resolves a client's path against its working directory.
 * `..` above the root stays at the root, as in a chroot; NUL, an over-long name and an over-long path are refused.
 *
 * @param text the path as the client sent it, absolute or relative
 * @param from the directory that a relative path starts in
 * @returns the normalised path, or `path-invalid`
 */
export function virtualPath(text: string, from: VirtualPath = rootPath): Result<VirtualPath> {
  if (text.includes('\0')) return refuse('path-invalid', 'the path holds a NUL');
  const names: string[] = [];
  for (const name of `${text.startsWith('/') ? '' : from}/${text}`.split('/')) {
    if (name === '' || name === '.') continue;
    if (name === '..') names.pop();
    else names.push(name);
  }
  const encoder = new TextEncoder();
  if (names.some((name) => encoder.encode(name).length > maxNameBytes)) {
    return refuse('path-invalid', `a name is longer than ${maxNameBytes} bytes`);
  }
  const path = `/${names.join('/')}`;
  if (encoder.encode(path).length > maxPathBytes) {
    return refuse('path-invalid', `the path is longer than ${maxPathBytes} bytes`);
  }
  return ok(path as VirtualPath);
}

/** The names of a path from the root down; none for the root itself. */
export const namesOf = (path: VirtualPath): string[] => path.split('/').filter((name) => name !== '');

/** The directory that holds the path; the root holds itself. */
export const parentOf = (path: VirtualPath): VirtualPath =>
  `/${namesOf(path).slice(0, -1).join('/')}` as VirtualPath;

/** The last name of the path; empty for the root. */
export const nameOf = (path: VirtualPath): string => namesOf(path).at(-1) ?? '';

/** The path of an entry in a directory; `path-invalid` where the name is no single name. */
export function childOf(directory: VirtualPath, name: string): Result<VirtualPath> {
  if (name === '' || name === '.' || name === '..' || name.includes('/')) {
    return refuse('path-invalid', 'not a single name');
  }
  return virtualPath(name, directory);
}
