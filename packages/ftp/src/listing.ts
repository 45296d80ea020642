import { ok, type Result } from '@sallyport/faults';
import {
  childOf,
  type DirectoryEntry,
  type FileAttributes,
  type FileSystem,
  nameOf,
  type VirtualPath,
} from '@sallyport/files';

/** How a directory is listed. */
export type ListingFormat = 'LIST' | 'NLST' | 'MLSD';

/** The facts of MLSD and MLST that are served, in the order they are written (RFC 3659 section 7.5). */
export const knownFacts = ['type', 'size', 'modify', 'UNIX.mode'] as const;
export type Fact = (typeof knownFacts)[number];

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** `ls -l` shows the year instead of the time of day for what is older. */
const recentMs = 180 * 86_400_000;

const two = (value: number): string => String(value).padStart(2, '0');

/** A time in UTC as `YYYYMMDDHHMMSS` (RFC 3659 section 2.3). */
export function timeValue(milliseconds: number): string {
  const date = new Date(milliseconds);
  return [
    String(date.getUTCFullYear()).padStart(4, '0'),
    two(date.getUTCMonth() + 1),
    two(date.getUTCDate()),
    two(date.getUTCHours()),
    two(date.getUTCMinutes()),
    two(date.getUTCSeconds()),
  ].join('');
}

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

const typeFacts: Readonly<Record<FileAttributes['kind'], string>> = {
  file: 'file',
  directory: 'dir',
  link: 'OS.unix=symlink',
  other: 'OS.unix=other',
};

/** The facts of an entry and its name, as MLSD and MLST write it, without the end of the line. */
export function factLine(entry: DirectoryEntry, facts: readonly Fact[]): string {
  const { attributes } = entry;
  const values: Readonly<Record<Fact, string | undefined>> = {
    type: typeFacts[attributes.kind],
    size: attributes.kind === 'file' ? String(attributes.size) : undefined,
    modify: timeValue(attributes.modifiedAt),
    'UNIX.mode': (attributes.mode & 0o7777).toString(8).padStart(4, '0'),
  };
  const written = facts.map((fact) => (values[fact] === undefined ? '' : `${fact}=${values[fact]};`));
  return `${written.join('')} ${entry.name}`;
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
  const write = (entry: DirectoryEntry): string => {
    const shown = listable(entry);
    if (format === 'NLST') return `${shown.name}\r\n`;
    return `${format === 'LIST' ? unixLine(shown, now) : factLine(shown, request.facts)}\r\n`;
  };

  const listed = await files.list(path);
  if (!listed.ok) {
    if (format === 'MLSD' || listed.fault.code !== 'not-a-directory') return listed;
    const attributes = await files.stat(path);
    if (!attributes.ok) return attributes;
    const line = write({ name: nameOf(path), attributes: attributes.value });
    return ok(
      (async function* () {
        yield line;
      })(),
    );
  }
  return ok(portions(listed.value, async (entry) => write(await followed(files, path, entry))));
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
  directory: VirtualPath,
  entry: DirectoryEntry,
): Promise<DirectoryEntry> {
  if (entry.attributes.kind !== 'link') return entry;
  const path = childOf(directory, entry.name);
  if (!path.ok) return entry;
  const target = await files.stat(path.value);
  return target.ok ? { name: entry.name, attributes: target.value } : entry;
}
