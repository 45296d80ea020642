import type { FileAttributes, VirtualPath } from '@sallyport/files';
import { nameOf } from '@sallyport/files';
import { validatorsOf } from '../conditions.ts';
import type { Lock } from './lock-table.ts';
import { xmlText } from './xml.ts';

/** Namespace of WebDAV's own properties. */
export const dav = 'DAV:';

/** What the properties of a resource are told from. */
export type Described = {
  readonly path: VirtualPath;
  readonly attributes: FileAttributes;
  readonly locks: readonly Lock[];
  readonly now: number;
  readonly space: { readonly available: number; readonly used: number } | undefined;
};

/** A lock as the answers to LOCK and PROPFIND tell it (RFC 4918 section 14.1). */
export const activeLock = (lock: Lock, root: string, now: number): string =>
  '<D:activelock><D:locktype><D:write/></D:locktype><D:lockscope><D:exclusive/></D:lockscope>' +
  `<D:depth>${lock.depth}</D:depth><D:owner>${xmlText(lock.owner)}</D:owner>` +
  `<D:timeout>Second-${Math.max(0, Math.ceil((lock.until - now) / 1_000))}</D:timeout>` +
  `<D:locktoken><D:href>${xmlText(lock.token)}</D:href></D:locktoken>` +
  `<D:lockroot><D:href>${xmlText(root)}</D:href></D:lockroot></D:activelock>`;

const lockEntry =
  '<D:lockentry><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>';

/** Every live property by name (RFC 4918 section 15, RFC 4331): its content, or nothing where this resource has none. */
const live: Readonly<Record<string, (of: Described) => string | undefined>> = {
  resourcetype: ({ attributes }) => (attributes.kind === 'directory' ? '<D:collection/>' : ''),
  displayname: ({ path }) => xmlText(nameOf(path) || '/'),
  getcontentlength: ({ attributes }) => (attributes.kind === 'file' ? String(attributes.size) : undefined),
  getcontenttype: ({ attributes }) =>
    attributes.kind === 'directory' ? 'httpd/unix-directory' : 'application/octet-stream',
  getlastmodified: ({ attributes }) => validatorsOf(attributes).lastModified,
  creationdate: ({ attributes }) => new Date(validatorsOf(attributes).lastModifiedAt).toISOString(),
  getetag: ({ attributes }) =>
    attributes.kind === 'file' ? xmlText(validatorsOf(attributes).etag) : undefined,
  supportedlock: () => lockEntry,
  lockdiscovery: ({ locks, path, now }) => locks.map((lock) => activeLock(lock, path, now)).join(''),
  'quota-available-bytes': ({ space }) => space && String(space.available),
  'quota-used-bytes': ({ space }) => space && String(space.used),
};

/** Told only to those who ask for them by name: they cost a look at the disk (RFC 4331 section 3). */
const onRequest = new Set(['quota-available-bytes', 'quota-used-bytes']);

export const allProperties: readonly string[] = Object.keys(live).filter((name) => !onRequest.has(name));
export const isOnRequest = (name: string): boolean => onRequest.has(name);

/** Content of a live property, as XML. */
export const propertyOf = (name: string, of: Described): string | undefined =>
  Object.hasOwn(live, name) ? live[name]?.(of) : undefined;
