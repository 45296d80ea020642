import { ok, type Result } from '@sallyport/faults';
import {
  childOf,
  type DirectoryEntry,
  type FileAttributes,
  type FileSystem,
  nameOf,
  type VirtualPath,
} from '@sallyport/files';
import { type Fact, factLine } from './facts.ts';

/** How a directory is listed. */
export type ListingFormat = 'LIST' | 'NLST' | 'MLSD';

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** `ls -l` shows the year instead of the time of day for what is older. */
const recentMs = 180 * 86_400_000;

const two = (value: number): string => String(value).padStart(2, '0');

const kindLetters: Readonly<Record<FileAttributes['kind'], string>> = {
  file: '-',
  directory: 'd',
  link: 'l',
  other: '-',
};

/** `rwxr-x---` of nine permission bits. */
function permissionLetters(mode: number): string {
  let letters = '';
  for (let bit = 8; bit >= 0; bit--) letters += (mode >> bit) & 1 ? ('xwr'[bit % 3] ?? '-') : '-';
  return letters;
}

/** One line of LIST, as `ls -l` writes it in UTC, without its end. */
export function unixLine(entry: DirectoryEntry, now: number): string {
  const { attributes } = entry;
  const date = new Date(attributes.modifiedAt);
  const recent = attributes.modifiedAt > now - recentMs && attributes.modifiedAt <= now + 86_400_000;
  const clock = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
  return [
    `${kindLetters[attributes.kind]}${permissionLetters(attributes.mode)}`,
    '  1',
    String(attributes.uid).padEnd(8),
    String(attributes.gid).padEnd(8),
    String(attributes.size).padStart(12),
    months[date.getUTCMonth()] ?? '',
    String(date.getUTCDate()).padStart(2),
    recent ? clock : String(date.getUTCFullYear()).padStart(5),
    entry.name,
  ].join(' ');
}

/** A name with a line break in it would read as another entry. */
const listable = (entry: DirectoryEntry): DirectoryEntry => ({
  ...entry,
  name: entry.name.replace(/[\r\n\0]/g, '?'),
});

/**
 * The listing of a path, ready to send: portions of CRLF-ended lines, to be read to their end or given back by
 * `return`, which closes the directory. A file lists itself in LIST and NLST.
 * A link shows as what it leads to where that is inside the home, as `ls` shows a followed link; else as a link.
 *
 * @returns `not-a-directory` for MLSD of a file, and the refusals of the file system
 */
export async function listing(
  files: FileSystem,
  request: { readonly format: ListingFormat; readonly path: VirtualPath; readonly facts: readonly Fact[] },
  now: number,
): Promise<Result<AsyncIterableIterator<string>>> {
  const { format, path } = request;
  const write = (entry: DirectoryEntry, at: () => Result<VirtualPath>): string => {
    const shown = listable(entry);
    if (format === 'NLST') return `${shown.name}\r\n`;
    if (format === 'LIST') return `${unixLine(shown, now)}\r\n`;
    const governed = request.facts.includes('perm') ? at() : undefined;
    return `${factLine(shown, request.facts, governed?.ok ? files.permits(governed.value) : [])}\r\n`;
  };

  const listed = await files.list(path);
  if (!listed.ok) {
    if (format === 'MLSD' || listed.fault.code !== 'not-a-directory') return listed;
    const attributes = await files.stat(path);
    if (!attributes.ok) return attributes;
    const line = write({ name: nameOf(path), attributes: attributes.value }, () => ok(path));
    return ok(
      (async function* () {
        yield line;
      })(),
    );
  }
  return ok(
    portions(listed.value, async (entry) => {
      const at = (): Result<VirtualPath> => childOf(path, entry.name);
      return write(entry.attributes.kind === 'link' ? await followed(files, at(), entry) : entry, at);
    }),
  );
}

/**
 * The lines of each batch as one text. Not a generator: its `return` before the first `next`, where no data connection
 * came in, would leave the directory open.
 */
function portions(
  batches: AsyncIterable<readonly DirectoryEntry[]>,
  write: (entry: DirectoryEntry) => Promise<string>,
): AsyncIterableIterator<string> {
  const source = batches[Symbol.asyncIterator]();
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      for (;;) {
        const batch = await source.next();
        if (batch.done) return { done: true, value: undefined };
        let portion = '';
        for (const entry of batch.value) portion += await write(entry);
        if (portion !== '') return { done: false, value: portion };
      }
    },
    async return() {
      await source.return?.();
      return { done: true, value: undefined };
    },
  };
}

async function followed(
  files: FileSystem,
  path: Result<VirtualPath>,
  entry: DirectoryEntry,
): Promise<DirectoryEntry> {
  const target = path.ok ? await files.stat(path.value) : path;
  return target.ok ? { name: entry.name, attributes: target.value } : entry;
}
