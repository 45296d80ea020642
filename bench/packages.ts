import { access, mkdir, readdir, realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { must } from './must.ts';

const cache = (): string => join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'sallyport-bench');

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** A peer's programs: below `root` all is where the packages put it. */
export type Unpacked = { readonly root: string; readonly env: Readonly<Record<string, string>> };

/**
 * Where a program of Debian's packages is: installed, or unpacked into a cache of the user. FTP servers conflict with one
 * another, so that not all can be installed.
 *
 * @param program path below the root
 * @param packages those that hold it and what it needs beside the usual
 * @returns undefined where it is neither there nor to be had; `progress` is told what to do
 */
export async function findPeer(
  program: string,
  packages: readonly string[],
  progress: (line: string) => void,
): Promise<Unpacked | undefined> {
  if (await isThere(join('/', program))) return { root: '/', env: {} };
  const root = join(cache(), 'root');
  const env = { LD_LIBRARY_PATH: join(root, 'usr/lib/x86_64-linux-gnu') };
  const mark = join(root, program);
  if (await isThere(mark)) return { root, env };
  const folder = join(cache(), 'packages');
  try {
    await mkdir(folder, { recursive: true });
    await mkdir(root, { recursive: true });
    await must('anywhere', 'apt-get', ['download', ...packages], { cwd: await realpath(folder) });
    for (const file of await readdir(folder)) {
      if (packages.some((name) => file.startsWith(`${name}_`))) {
        await must('anywhere', 'dpkg', ['-x', join(folder, file), root]);
      }
    }
    if (!(await isThere(mark))) throw new Error(`${program} is not in them`);
    return { root, env };
  } catch (error) {
    progress(
      `left out: ${program}. Unpack ${packages.join(', ')} into ${root} (dpkg -x). ${error instanceof Error ? error.message : error}`,
    );
    return undefined;
  }
}
