import { ownPrefix } from '../href.ts';
import { type Html, html, nothing } from './html.ts';
import { page } from './layout.ts';

const failure = (text: string | undefined): Html =>
  text === undefined ? nothing : html`<p class="failure" role="alert">${text}</p>`;

/**
 * The form that asks for name and password.
 *
 * @param to where to go then, as a path of ours
 * @param failed why the form is there again
 */
export const signInPage = (to: string, failed?: string): string =>
  page(
    'Sign in',
    html`<section class="card">
<img src="${ownPrefix}mark.svg" alt="" width="56" height="56">
<h1>Sign in</h1>
${failure(failed)}
<form method="post" action="${ownPrefix}sign-in">
<input type="hidden" name="to" value="${to}">
<label>Name <input name="user" autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus maxlength="256"></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required maxlength="1024"></label>
<button class="main">Sign in</button>
</form>
</section>
`,
  );

/** The form that asks for the second factor, when the password was right. */
export const secondFactorPage = (to: string, failed?: string): string =>
  page(
    'One more step',
    html`<section class="card">
<img src="${ownPrefix}mark.svg" alt="" width="56" height="56">
<h1>One more step</h1>
${failure(failed)}
<form method="post" action="${ownPrefix}second-factor">
<input type="hidden" name="to" value="${to}">
<label>Code of your authenticator <input name="code" inputmode="numeric" autocomplete="one-time-code" spellcheck="false" required autofocus maxlength="64"></label>
<button class="main">Continue</button>
</form>
<p><a href="/">Start again</a></p>
</section>
`,
  );
