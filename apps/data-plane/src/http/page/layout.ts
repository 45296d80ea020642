import { ownPrefix } from '../href.ts';
import { type Html, html, nothing } from './html.ts';

/** Who is signed in, and the token that the page's forms send along. */
export type PageUser = { readonly name: string; readonly token: string };

/** Hidden field of every form that changes something. */
export const tokenField = ({ token }: PageUser): Html =>
  html`<input type="hidden" name="token" value="${token}">`;

const signOut = (
  user: PageUser,
): Html => html`<form class="account" method="post" action="${ownPrefix}sign-out">
${tokenField(user)}<span>Signed in as <strong>${user.name}</strong></span> <button class="quiet">Sign out</button></form>`;

/** Everything of a page before what it is about; `afterPage` ends it. */
export const beforePage = (title: string, user?: PageUser): Html => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="${ownPrefix}mark.svg" type="image/svg+xml">
<link rel="stylesheet" href="${ownPrefix}page.css">
<script src="${ownPrefix}page.js" defer></script>
</head>
<body>
<a class="skip" href="#content">Skip to content</a>
<header><a class="brand" href="/"><img src="${ownPrefix}mark.svg" alt="" width="32" height="32"> Files</a>
${user ? signOut(user) : nothing}</header>
<main id="content" tabindex="-1">
`;

export const afterPage: Html = html`</main>
</body>
</html>
`;

/** A whole page. */
export const page = (title: string, content: Html, user?: PageUser): string =>
  beforePage(title, user).markup + content.markup + afterPage.markup;
