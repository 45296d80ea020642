import type { AccountTurns } from '../account-turns.ts';
import type { LockGuard } from '../dav/lock-guard.ts';
import { type Arrival, type Gate, underWebSession } from '../gate.ts';
import { answer } from '../outgoing.ts';
import type { Pace } from '../pace.ts';
import { sendProblem } from '../problem.ts';
import { clearCookie, cookieValue, sessionCookie } from '../web-session/cookie.ts';
import { isToken, type WebSessions } from '../web-session/web-sessions.ts';
import {
  type Action,
  askBefore,
  deleteEntry,
  formOf,
  makeFolder,
  renameEntry,
  uploadForm,
} from './actions.ts';
import { createSignIn } from './sign-in.ts';

export type OwnPathsOptions = {
  readonly context: { readonly now: () => number };
  readonly gate: Gate;
  readonly webSessions: WebSessions;
  readonly guard: LockGuard;
  readonly pace: Pace;
  readonly inTurn: AccountTurns;
  readonly transfer: (run: (blockSize: number) => Promise<void>) => Promise<void>;
};

/**
 * Serves what is below our own prefix: the forms of the page.
 *
 * @returns a function that answers the request for one of the names there
 */
export function createOwnPaths(options: OwnPathsOptions): (arrival: Arrival, name: string) => Promise<void> {
  const { webSessions, gate } = options;
  const signIn = createSignIn(webSessions, options.context.now);

  async function signOut(action: Action): Promise<void> {
    const { outgoing, incoming } = action;
    if (!(await formOf(action))) return;
    await webSessions.end(cookieValue(incoming.headers.cookie, sessionCookie) ?? '');
    outgoing.setHeader('Set-Cookie', clearCookie(sessionCookie));
    answer(outgoing, 303, { Location: '/', 'Cache-Control': 'no-store' });
  }

  const actions: Readonly<Record<string, (action: Action) => Promise<void> | void>> = {
    'GET rename': (action) => askBefore(action, 'rename'),
    'GET delete': (action) => askBefore(action, 'delete'),
    'POST upload': (action) => uploadForm(action, options),
    'POST folder': (action) => makeFolder(action, options),
    'POST rename': (action) => renameEntry(action, options),
    'POST delete': (action) => options.inTurn(action.session.account.id, () => deleteEntry(action, options)),
    'POST sign-out': signOut,
  };

  return async (arrival, name) => {
    const { incoming, outgoing, connection } = arrival;
    if (incoming.method === 'POST' && connection.channel === 'encrypted') {
      if (name === 'sign-in') return signIn.signIn(arrival);
      if (name === 'second-factor') return signIn.secondFactor(arrival);
    }
    const admitted = await gate.admit(arrival, 'checked');
    if (!admitted) return;
    const act = actions[`${incoming.method} ${name}`];
    if (!act) return sendProblem(outgoing, 'not-found');
    const { session, web } = admitted;
    const user = { name: session.account.name, token: web?.token ?? '' };
    // Other credentials than a cookie have been asked where they come from already.
    const isTrusted = (token: string | null) => !web || isToken(token ?? undefined, web.token);
    const run = () =>
      options.transfer(async (blockSize) => act({ incoming, outgoing, session, blockSize, user, isTrusted }));
    await (web ? underWebSession(web, outgoing, run) : run());
  };
}
