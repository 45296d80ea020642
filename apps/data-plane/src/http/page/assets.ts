import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ownPrefix } from '../href.ts';

type Asset = {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly etag: string;
};

const typeOf: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

function read(name: string): [string, Asset] {
  const body = readFileSync(new URL(`./assets/${name}`, import.meta.url), 'utf8');
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  const headers = {
    'Content-Type': typeOf[name.split('.')[1] ?? ''] ?? '',
    'Cache-Control': 'public, no-cache',
    ETag: etag,
  };
  return [ownPrefix + name, { headers, body, etag }];
}

/** What the pages are made of, by path: the same for everybody, so nobody has to be signed in. */
export const assets: ReadonlyMap<string, Asset> = new Map(
  ['page.css', 'page.js', 'mark.svg', 'folder.svg', 'file.svg', 'up.svg'].map(read),
);
