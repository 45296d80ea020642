import type { IncomingHttpHeaders } from 'node:http';
import type { FileAttributes, FileSystem, VirtualPath } from '@sallyport/files';

/** What tells two contents of one path apart. */
export type Validators = {
  /** Strong entity tag with its quotes (RFC 9110 section 8.8.3): size and time of change. */
  readonly etag: string;
  /** IMF-fixdate, whole seconds. */
  readonly lastModified: string;
  /** The same in milliseconds since the epoch. */
  readonly lastModifiedAt: number;
};

export function validatorsOf(attributes: Pick<FileAttributes, 'size' | 'modifiedAt'>): Validators {
  const seconds = Math.floor(attributes.modifiedAt / 1_000);
  const date = new Date(seconds * 1_000);
  const lastModifiedAt = Number.isNaN(date.getTime()) ? 0 : date.getTime();
  return {
    etag: `"${attributes.size.toString(16)}-${Math.round(attributes.modifiedAt * 1_000).toString(16)}"`,
    lastModified: new Date(lastModifiedAt).toUTCString(),
    lastModifiedAt,
  };
}

/** Entity tags of an If-Match or If-None-Match header, `*` among them where it is the header. */
const tagsOf = (header: string): string[] => header.match(/\*|(?:W\/)?"[^"]*"/g) ?? [];

const dateOf = (header: string | undefined): number | undefined => {
  const at = Date.parse(header ?? '');
  return Number.isNaN(at) ? undefined : at;
};

/**
 * Evaluates the preconditions of a request in the order of RFC 9110 section 13.2.2.
 *
 * @param current what is there now; nothing where there is no file
 * @param method `read` for GET and HEAD, else `change`
 */
export function preconditions(
  headers: IncomingHttpHeaders,
  current: Validators | undefined,
  method: 'read' | 'change',
): 'proceed' | 'not-modified' | 'failed' {
  const ifMatch = headers['if-match'];
  if (ifMatch !== undefined) {
    const tags = tagsOf(ifMatch);
    // Strong comparison: a weak tag never matches.
    if (!current || !(tags.includes('*') || tags.includes(current.etag))) return 'failed';
  } else {
    const since = dateOf(headers['if-unmodified-since']);
    if (since !== undefined && current && current.lastModifiedAt > since) return 'failed';
  }
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch !== undefined) {
    const tags = tagsOf(ifNoneMatch).map((tag) => tag.replace(/^W\//, ''));
    if (current && (tags.includes('*') || tags.includes(current.etag))) {
      return method === 'read' ? 'not-modified' : 'failed';
    }
  } else if (method === 'read') {
    const since = dateOf(headers['if-modified-since']);
    if (since !== undefined && current && current.lastModifiedAt <= since) return 'not-modified';
  }
  return 'proceed';
}

/** Does If-Range let a range be served (RFC 9110 section 13.1.5)? Without the header it does. */
export function rangeHolds(ifRange: string | undefined, current: Validators): boolean {
  if (ifRange === undefined) return true;
  return ifRange.startsWith('"') ? ifRange === current.etag : ifRange === current.lastModified;
}

/** Validators of the file that is at a path now; nothing where there is none, a cut upload among that. */
export async function currentAt(files: FileSystem, path: VirtualPath): Promise<Validators | undefined> {
  const attributes = await files.stat(path);
  return attributes.ok && !attributes.value.unfinished ? validatorsOf(attributes.value) : undefined;
}
