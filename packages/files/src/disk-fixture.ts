import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Fault, type Result, unwrap } from '@sallyport/faults';
import { openHome } from './disk-home.ts';
import type { DirectoryEntry, FileSystem } from './filesystem.ts';
import { type VirtualPath, virtualPath } from './path.ts';

/** A files root of its own with one home in it, for tests; gone when the block that holds it ends. */
export async function temporaryHome() {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'sallyport-files-')));
  const home = unwrap(await openHome(root, '/acme'));
  return {
    root,
    home,
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

/** A path that a test knows to be good. */
export const at = (text: string): VirtualPath => unwrap(virtualPath(text));

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The code of the refusal that a test expects. */
export const faultOf = (result: Result<unknown>): Fault['code'] | 'no fault' =>
  result.ok ? 'no fault' : result.fault.code;

export async function putFile(fs: FileSystem, path: string, text: string): Promise<void> {
  const handle = unwrap(await fs.openWrite(at(path), 'replace'));
  unwrap(await handle.write(bytesOf(text), 0));
  unwrap(await handle.commit());
}

export async function readText(fs: FileSystem, path: string): Promise<string> {
  const handle = unwrap(await fs.openRead(at(path)));
  try {
    const into = new Uint8Array(unwrap(await handle.attributes()).size + 1);
    return new TextDecoder().decode(into.subarray(0, unwrap(await handle.read(into, 0))));
  } finally {
    await handle.close();
  }
}

export async function entriesAt(fs: FileSystem, path: string): Promise<DirectoryEntry[]> {
  const entries: DirectoryEntry[] = [];
  for await (const batch of unwrap(await fs.list(at(path)))) entries.push(...batch);
  return entries;
}

export const namesAt = async (fs: FileSystem, path: string): Promise<string[]> =>
  (await entriesAt(fs, path)).map((entry) => entry.name).sort();
