import { namesOf, type VirtualPath } from '@sallyport/files';

/** First part of the paths that are ours and no file's. A folder of that name in a home is not served over HTTP. */
export const ownPrefix = '/.sallyport/';

/** The path as a URL has it: always one slash in front, so that it can never name another host. */
export function hrefOf(path: VirtualPath, form: 'plain' | 'directory' = 'plain'): string {
  const encoded = `/${namesOf(path).map(encodeURIComponent).join('/')}`;
  return form === 'directory' && encoded !== '/' ? `${encoded}/` : encoded;
}
