import { type DirectoryEntry, nameOf, namesOf, parentOf, rootPath, type VirtualPath } from '@sallyport/files';
import type { FileOperation } from '@sallyport/model';
import { hrefOf, ownPrefix } from '../href.ts';
import { type Html, html, nothing } from './html.ts';
import { afterPage, beforePage, type PageUser, page, tokenField } from './layout.ts';

const units = ['bytes', 'KB', 'MB', 'GB', 'TB', 'PB'];

/** A size as people read it, in powers of 1,000. */
function readableSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1_000;
    unit++;
  }
  if (unit === 0) return bytes === 1 ? '1 byte' : `${bytes} bytes`;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

const timeOf = (milliseconds: number): Html => {
  const date = new Date(milliseconds);
  if (Number.isNaN(date.getTime())) return nothing;
  const iso = date.toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')}</time>`;
};

function trail(path: VirtualPath): Html {
  const names = namesOf(path);
  let at: VirtualPath = rootPath;
  const steps = names.map((name, index) => {
    at = `${at === '/' ? '' : at}/${name}` as VirtualPath;
    return index === names.length - 1
      ? html`<li><a href="${hrefOf(at, 'directory')}" aria-current="page">${name}</a></li>`
      : html`<li><a href="${hrefOf(at, 'directory')}">${name}</a></li>`;
  });
  return html`<nav aria-label="Folders"><ol class="trail"><li><a href="/">Home</a></li>${steps}</ol></nav>`;
}

/** Only what the account may do is offered; each request is judged by itself all the same. */
function tools(path: VirtualPath, user: PageUser, may: readonly FileOperation[]): Html {
  const uploads = may.includes('create') ? uploadForm(path, user) : nothing;
  const folders = may.includes('mkdir') ? folderForm(path, user) : nothing;
  if (uploads === nothing && folders === nothing) return nothing;
  return html`<div class="tools">
${uploads}${folders}</div>
<ul id="uploads" class="uploads" hidden></ul>
<p id="status" class="by-script" role="status"></p>
`;
}

/** The files come last: they are stored as they come, by the fields before them. */
const uploadForm = (
  path: VirtualPath,
  user: PageUser,
): Html => html`<form id="upload" class="drop" method="post" enctype="multipart/form-data" action="${ownPrefix}upload" data-directory="${hrefOf(path, 'directory')}" data-token="${user.token}">
${tokenField(user)}<input type="hidden" name="directory" value="${hrefOf(path, 'directory')}">
<label class="check"><input type="checkbox" name="replace" value="yes"> Replace files of the same name</label>
<label for="files">Choose files to upload<span class="by-script">, or drop them here</span></label>
<input id="files" type="file" name="files" multiple required>
<button class="main">Upload</button>
</form>
`;

const folderForm = (
  path: VirtualPath,
  user: PageUser,
): Html => html`<form class="folder" method="post" action="${ownPrefix}folder">
${tokenField(user)}<input type="hidden" name="directory" value="${hrefOf(path, 'directory')}">
<label for="folder">New folder</label>
<input id="folder" name="name" required maxlength="255" autocomplete="off">
<button>Create</button>
</form>
`;

/** Everything of the page of a directory before its entries. */
export const beforeEntries = (path: VirtualPath, user: PageUser, may: readonly FileOperation[]): string =>
  beforePage(nameOf(path) || 'Files', user).markup +
  html`${trail(path)}
<h1>${nameOf(path) || 'Files'}</h1>
${tools(path, user, may)}<table>
<caption class="unseen">What is in this folder</caption>
<thead><tr><th scope="col">Name</th><th scope="col" class="number">Size</th><th scope="col">Changed (UTC)</th><th scope="col"><span class="unseen">Actions</span></th></tr></thead>
<tbody>
${
  path === '/'
    ? nothing
    : html`<tr><td class="name"><a class="up" href="${hrefOf(parentOf(path), 'directory')}">Up one folder</a></td><td></td><td></td><td></td></tr>
`
}`.markup;

const actionOn = (what: string, path: string, label: string, name: string): Html =>
  html`<a href="${ownPrefix}${what}?path=${encodeURIComponent(path)}">${label}<span class="unseen"> ${name}</span></a>`;

/** The page of a directory for those who may put files into it and not see what is there. */
export const dropPage = (path: VirtualPath, user: PageUser, may: readonly FileOperation[]): string =>
  page(
    'Upload',
    html`${trail(path)}
<h1>${nameOf(path) || 'Upload'}</h1>
${tools(path, user, may)}<p class="empty">You may put files here, but not see what is here.</p>
`,
    user,
  );

/** One row. */
export function entryRow(
  directory: VirtualPath,
  { name, attributes }: DirectoryEntry,
  may: readonly FileOperation[],
): string {
  const form = attributes.kind === 'directory' ? 'directory' : 'plain';
  const href = hrefOf(`${directory === '/' ? '' : directory}/${name}` as VirtualPath, form);
  const size = attributes.kind === 'file' ? readableSize(attributes.size) : '';
  const removing = attributes.kind === 'directory' ? 'rmdir' : 'delete';
  const actions = [
    ...(may.includes('rename') ? [actionOn('rename', href, 'Rename', name)] : []),
    ...(may.includes(removing) ? [actionOn('delete', href, 'Delete', name)] : []),
  ];
  return html`<tr><td class="name"><a class="${attributes.kind}" href="${href}">${name}</a></td><td class="number">${size}</td><td>${timeOf(attributes.modifiedAt)}</td><td class="actions">${actions}</td></tr>
`.markup;
}

/** Everything after the entries. */
export const afterEntries = (count: number): string =>
  html`</tbody></table>
${
  count === 0
    ? html`<p class="empty">This folder is empty.</p>
`
    : nothing
}${afterPage}`.markup;
