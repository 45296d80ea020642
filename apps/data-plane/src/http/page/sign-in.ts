import { createHash, randomBytes } from 'node:crypto';
import { normalizedName } from '@sallyport/model';
import type { LoginAttempt, LoginOutcome } from '../../login.ts';
import { sourceNetwork } from '../../source-network.ts';
import type { HttpConnection } from '../connection.ts';
import type { Incoming, Outgoing } from '../exchange.ts';
import { hrefOf } from '../href.ts';
import { answer } from '../outgoing.ts';
import { sendProblem } from '../problem.ts';
import { readText } from '../small-body.ts';
import { targetOf } from '../target.ts';
import { clearCookie, cookieValue, factorCookie, sessionCookie, setCookie } from '../web-session/cookie.ts';
import type { Binding, WebSessions } from '../web-session/web-sessions.ts';
import { sendPage } from './send-page.ts';
import { secondFactorPage, signInPage } from './sign-in-page.ts';

type Arrival = {
  readonly incoming: Incoming;
  readonly outgoing: Outgoing;
  readonly connection: HttpConnection;
};

/** The way in by the form. */
export interface SignIn {
  /** POST of name and password. */
  signIn(arrival: Arrival): Promise<void>;
  /** POST of the code that follows. */
  secondFactor(arrival: Arrival): Promise<void>;
}

const maxFormBytes = 8_192;
const stepMs = 300_000;
const maxSteps = 1_000;
/** Of one name, so that whoever has its password takes nobody else's place. */
const maxStepsOfUser = 5;
const maxCodes = 5;
/** RFC 9110 section 11.6.1 wants a challenge; this one makes no browser ask by itself. */
export const formChallenge = { 'WWW-Authenticate': 'Form realm="files"' };
const failed = 'Name or password is not right, or you may not sign in here.';

/** What a sign-in over this connection is decided for. */
export const bindingOf = ({ server, source, credential }: HttpConnection): Binding => ({
  server: server.id,
  network: sourceNetwork(source),
  credential:
    credential.kind === 'proved'
      ? [...new Set(credential.registrations.map(({ certificate }) => certificate))].sort().join(' ')
      : undefined,
});

const isSame = (one: Binding, other: Binding): boolean =>
  one.server === other.server && one.network === other.network && one.credential === other.credential;

/** Where to go, if it is a path of ours; it is written anew, so that it can lead nowhere else. */
function localTarget(to: string | null): string {
  const target = targetOf(to ?? '/');
  return target.ok ? hrefOf(target.value.path, target.value.form) : '/';
}

type Step = {
  readonly attempt: LoginAttempt;
  readonly user: string;
  /** Of the connection that the password came by, which is what the attempt rests on. */
  readonly binding: Binding;
  codes: number;
  readonly until: number;
};

const exhausted: LoginOutcome = { kind: 'refused', fault: 'login-refused' };

export function createSignIn(webSessions: WebSessions, now: () => number): SignIn {
  /** Sign-ins that wait for their second factor, by digest of their cookie. */
  const steps = new Map<string, Step>();
  const turns = new WeakMap<HttpConnection, Promise<void>>();
  const digestOf = (cookie: string) => createHash('sha256').update(cookie).digest('hex');

  function remember(step: Step): string | undefined {
    const name = normalizedName(step.user, 'lower');
    for (const [digest, { until }] of steps) if (until <= now()) steps.delete(digest);
    const own = [...steps].filter(([, { user }]) => normalizedName(user, 'lower') === name);
    for (const [digest] of own.slice(0, Math.max(0, own.length + 1 - maxStepsOfUser))) steps.delete(digest);
    if (steps.size >= maxSteps) return undefined;
    const cookie = randomBytes(32).toString('base64url');
    steps.set(digestOf(cookie), step);
    return cookie;
  }

  async function settle(
    { outgoing, connection }: Arrival,
    to: string,
    outcome: LoginOutcome,
    waiting: { readonly attempt: LoginAttempt; readonly user: string },
  ): Promise<void> {
    if (outcome.kind === 'admitted') {
      const { credential, ...binding } = bindingOf(connection);
      const rests = outcome.session.proofs.includes('credential') ? credential : undefined;
      const cookie = await webSessions.begin(
        outcome.session,
        { ...binding, credential: rests },
        connection.server.limits.idleSeconds * 1_000,
      );
      if (cookie === undefined) return sendProblem(outgoing, 'service-refusing');
      connection.vouch();
      outgoing.setHeader('Set-Cookie', [setCookie(sessionCookie, cookie), clearCookie(factorCookie)]);
      return answer(outgoing, 303, { Location: to, 'Cache-Control': 'no-store' });
    }
    if (outcome.kind === 'continue' && outcome.missing.some((proof) => proof === 'second-factor')) {
      const binding = bindingOf(connection);
      const cookie = remember({ ...waiting, binding, codes: 0, until: now() + stepMs });
      if (cookie === undefined) return sendProblem(outgoing, 'service-refusing');
      outgoing.setHeader('Set-Cookie', setCookie(factorCookie, cookie));
      return sendPage(outgoing, 200, secondFactorPage(to));
    }
    connection.countRefusal();
    const close: Record<string, string> = connection.exhausted() ? { Connection: 'close' } : {};
    sendPage(outgoing, 401, signInPage(to, failed), { ...formChallenge, ...close });
  }

  /** One sign-in after the other on each connection, or many at once would be tried before the first is counted. */
  function inTurn(connection: HttpConnection, judge: () => Promise<void>): Promise<void> {
    const judged = (turns.get(connection) ?? Promise.resolve()).then(judge);
    turns.set(
      connection,
      judged.catch(() => {}),
    );
    return judged;
  }

  return {
    async signIn(arrival) {
      const body = await readText(arrival.incoming, maxFormBytes);
      if (!body.ok) return sendProblem(arrival.outgoing, body.fault.code);
      const form = new URLSearchParams(body.value);
      const user = form.get('user') ?? '';
      const password = form.get('password') ?? '';
      const to = localTarget(form.get('to'));
      if (user === '' || password === '') {
        return sendPage(arrival.outgoing, 401, signInPage(to, failed), formChallenge);
      }
      const { connection } = arrival;
      const attempt = connection.openAttempt();
      await inTurn(connection, async () => {
        const outcome = connection.exhausted() ? exhausted : await attempt.password(user, password);
        await settle(arrival, to, outcome, { attempt, user });
      });
    },

    async secondFactor(arrival) {
      const { incoming, outgoing, connection } = arrival;
      const body = await readText(incoming, maxFormBytes);
      if (!body.ok) return sendProblem(outgoing, body.fault.code);
      const form = new URLSearchParams(body.value);
      const to = localTarget(form.get('to'));
      const digest = digestOf(cookieValue(incoming.headers.cookie, factorCookie) ?? '');
      const step = steps.get(digest);
      const usable = step && step.until > now() && isSame(step.binding, bindingOf(connection));
      // Counted before it is judged: codes that come together are no fewer.
      if (!usable || connection.exhausted() || ++step.codes > maxCodes) {
        return sendPage(outgoing, 401, signInPage(to, 'That took too long. Sign in again.'), formChallenge);
      }
      const outcome = await step.attempt.secondFactor(step.user, (form.get('code') ?? '').trim());
      if (outcome.kind === 'admitted') {
        steps.delete(digest);
        return settle(arrival, to, outcome, step);
      }
      connection.countRefusal();
      if (step.codes >= maxCodes) {
        steps.delete(digest);
        return sendPage(outgoing, 401, signInPage(to, failed), formChallenge);
      }
      sendPage(outgoing, 401, secondFactorPage(to, 'The code is not right.'), formChallenge);
    },
  };
}
