import { nameOf, parentOf, type VirtualPath } from '@sallyport/files';
import { hrefOf, ownPrefix } from '../href.ts';
import { html, nothing } from './html.ts';
import { type PageUser, page, tokenField } from './layout.ts';

const backTo = (path: VirtualPath) =>
  html`<a class="button" href="${hrefOf(parentOf(path), 'directory')}">Cancel</a>`;

/** Asks for the new name of a file or folder. */
export const renamePage = (path: VirtualPath, form: 'plain' | 'directory', user: PageUser): string =>
  page(
    `Rename ${nameOf(path)}`,
    html`<section class="card">
<h1>Rename</h1>
<form method="post" action="${ownPrefix}rename">
${tokenField(user)}<input type="hidden" name="path" value="${hrefOf(path, form)}">
<label>New name of “${nameOf(path)}” <input name="name" value="${nameOf(path)}" required maxlength="255" autocomplete="off" autofocus></label>
<p class="choices"><button class="main">Rename</button> ${backTo(path)}</p>
</form>
</section>
`,
    user,
  );

/** Asks whether a file or folder shall really go. */
export const deletePage = (path: VirtualPath, form: 'plain' | 'directory', user: PageUser): string =>
  page(
    `Delete ${nameOf(path)}`,
    html`<section class="card">
<h1>Delete “${nameOf(path)}”?</h1>
<p>${form === 'directory' ? 'The folder and everything in it is deleted. ' : ''}This cannot be undone.</p>
<form method="post" action="${ownPrefix}delete">
${tokenField(user)}<input type="hidden" name="path" value="${hrefOf(path, form)}">
<p class="choices"><button class="danger">Delete</button> ${backTo(path)}</p>
</form>
</section>
`,
    user,
  );

/** Says what could not be done, one line for each. */
export const failurePage = (
  problems: readonly { readonly what?: string; readonly text: string }[],
  back: string,
  user?: PageUser,
): string =>
  page(
    'That did not work',
    html`<section class="card">
<h1>That did not work</h1>
<ul class="failure" role="alert">${problems.map(
      ({ what, text }) =>
        html`<li>${what === undefined ? nothing : html`<strong>${what}</strong>: `}${text}</li>`,
    )}</ul>
<p><a class="button" href="${back}">Back</a></p>
</section>
`,
    user,
  );
