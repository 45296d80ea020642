import { ok, type Result, refuse } from '@sallyport/faults';
import { childOf, type FileSystem, type VirtualPath } from '@sallyport/files';

const maxDepth = 200;

/** How a copy is made. */
export type CopyMeans = {
  readonly files: FileSystem;
  /** Bytes read at once. */
  readonly blockSize: number;
  readonly depth: '0' | 'infinity';
  /** Asked between blocks and entries: false ends the copy. */
  readonly goesOn: () => boolean;
};

/** Copies a file; it appears whole or not at all, and until then what it replaces stays. */
async function copyFile(
  { files, blockSize, goesOn }: CopyMeans,
  from: VirtualPath,
  to: VirtualPath,
  existing: 'refuse' | 'replace',
): Promise<Result<void>> {
  const source = await files.openRead(from);
  if (!source.ok) return source;
  try {
    const target = await files.openWrite(to, existing === 'replace' ? 'replace' : 'create');
    if (!target.ok) return target;
    const block = Buffer.allocUnsafe(blockSize);
    let position = 0;
    let failed: Result<void> | undefined;
    while (!failed) {
      if (!goesOn()) failed = refuse('transfer-cut');
      const read = await source.value.read(block, position);
      if (!read.ok) failed = read;
      else if (read.value === 0) break;
      else {
        const written = await target.value.write(block.subarray(0, read.value), position);
        if (!written.ok) failed = written;
        position += read.value;
      }
    }
    if (!failed) return target.value.commit();
    await target.value.abandon('discard');
    return failed;
  } finally {
    await source.value.close();
  }
}

/**
 * Copies what is at a path to a free one.
 *
 * @param existing `replace`: a file takes the place of the file that is there
 * @returns the first refusal; what was copied until then stays
 */
export async function copyTree(
  means: CopyMeans,
  from: VirtualPath,
  to: VirtualPath,
  existing: 'refuse' | 'replace',
  level = 0,
): Promise<Result<void>> {
  const { files } = means;
  if (!means.goesOn()) return refuse('transfer-cut');
  const attributes = await files.stat(from);
  if (!attributes.ok) return attributes;
  if (attributes.value.kind !== 'directory') return copyFile(means, from, to, existing);
  if (level >= maxDepth) return refuse('path-invalid', 'too deep');
  const made = await files.makeDirectory(to);
  if (!made.ok || means.depth === '0') return made;
  const listed = await files.list(from);
  if (!listed.ok) return listed;
  for await (const batch of listed.value) {
    for (const { name } of batch) {
      const source = childOf(from, name);
      const target = childOf(to, name);
      if (!source.ok) return source;
      if (!target.ok) return target;
      const copied = await copyTree(means, source.value, target.value, 'refuse', level + 1);
      if (!copied.ok) return copied;
    }
  }
  return ok(undefined);
}
