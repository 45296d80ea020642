import { encryptionFor } from '@sallyport/policy';
import type { AdapterContext } from '../adapter.ts';
import type { Session } from '../session.ts';
import type { HttpConnection } from './connection.ts';
import { authorityOf, headerValues, type Incoming, type Outgoing } from './exchange.ts';
import { isBrowser, isForeign, isOpened, isUnsafe, wantsPage } from './origin-guard.ts';
import { answer, cut } from './outgoing.ts';
import { sendPage } from './page/send-page.ts';
import { bindingOf, formChallenge } from './page/sign-in.ts';
import { signInPage } from './page/sign-in-page.ts';
import { sendProblem } from './problem.ts';
import { clearCookie, cookieValue, sessionCookie, setCookie } from './web-session/cookie.ts';
import { isToken, type WebSession, type WebSessions } from './web-session/web-sessions.ts';

/** A request, before anybody knows whose. */
export type Arrival = {
  readonly incoming: Incoming;
  readonly outgoing: Outgoing;
  readonly connection: HttpConnection;
};

/** Whose request it is. */
export type Admitted = {
  readonly session: Session;
  /** Absent where the request brought its own credentials. */
  readonly web: WebSession | undefined;
};

export type GateOptions = {
  readonly context: AdapterContext;
  readonly webSessions: WebSessions;
  /** False while the server drains. */
  readonly admits: () => boolean;
  /** Does this port take TLS too? Then a request in clear can be sent there. */
  readonly secure: () => boolean;
};

/** One challenge for everyone, whatever was wrong (RFC 7617 section 2). */
const challenge = { 'WWW-Authenticate': 'Basic realm="files", charset="UTF-8"' };

/** What a script of ours sends along where a form has its hidden field. */
const tokenHeader = 'x-sallyport-token';

/** Code of the second factor, beside the credentials of a client that shows no form. */
const secondFactorHeader = 'sallyport-otp';

/** Decides which requests get in, and answers those that do not. */
export interface Gate {
  /** What is refused of anybody, before it is asked who it is. @returns whether it was answered */
  turnsAway(arrival: Arrival): boolean;
  /**
   * Whose request it is: by its Authorization header, else by the cookie of a web session, else by the client
   * certificate of the connection.
   *
   * @param forms `checked`: the handler looks for the token in its form
   * @returns nothing where it was answered
   */
  admit(arrival: Arrival, forms?: 'checked'): Promise<Admitted | undefined>;
}

export function createGate({ context, webSessions, admits, secure }: GateOptions): Gate {
  /** Must a request that names nobody be encrypted? Asked of the rules for a login without a name. */
  const clearIsRefused = (source: string): boolean => {
    const { sslEntries, userClasses } = context.view().policy;
    return encryptionFor(sslEntries, userClasses, { name: '', source }) === 'required';
  };

  function askToSignIn({ incoming, outgoing, connection }: Arrival, given: string | undefined): void {
    const close: Record<string, string> = connection.exhausted() ? { Connection: 'close' } : {};
    const formServes = connection.channel === 'encrypted' && given === undefined;
    const asksForPage =
      ['GET', 'HEAD'].includes(incoming.method ?? '') && incoming.headers.accept !== undefined;
    if (formServes && asksForPage && wantsPage(incoming)) {
      const headers = { ...formChallenge, ...close };
      sendPage(outgoing, 401, signInPage(incoming.url ?? '/'), headers);
      return;
    }
    // A browser would ask its user over the heads of our own pages.
    const asks = formServes && isBrowser(incoming) ? formChallenge : challenge;
    sendProblem(outgoing, 'login-refused', { ...asks, ...close });
  }

  /** The web session that the cookie of a request names. */
  async function webSessionOf({ incoming, outgoing, connection }: Arrival): Promise<WebSession | undefined> {
    const cookie = cookieValue(incoming.headers.cookie, sessionCookie);
    if (cookie === undefined || connection.channel === 'clear') return undefined;
    const idleMs = connection.server.limits.idleSeconds * 1_000;
    const { credentialStands } = connection;
    const found = await webSessions.find(cookie, bindingOf(connection), idleMs, credentialStands);
    if (!found) outgoing.setHeader('Set-Cookie', clearCookie(sessionCookie));
    return found;
  }

  /** A browser whose certificate suffices is signed in by it, so that its pages have their token. */
  async function signInByCertificate(arrival: Arrival): Promise<WebSession | undefined> {
    const { incoming, outgoing, connection } = arrival;
    const name = connection.nameOfCertificate;
    const isPage =
      incoming.method === 'GET' && isBrowser(incoming) && wantsPage(incoming) && isOpened(incoming);
    if (name === undefined || !isPage || connection.channel === 'clear') return undefined;
    const outcome = await connection.openAttempt().name(name);
    if (outcome.kind !== 'admitted') return undefined;
    const idleMs = connection.server.limits.idleSeconds * 1_000;
    const cookie = await webSessions.begin(outcome.session, bindingOf(connection), idleMs);
    if (cookie === undefined) return undefined;
    outgoing.setHeader('Set-Cookie', setCookie(sessionCookie, cookie));
    return webSessions.find(cookie, bindingOf(connection), idleMs);
  }

  function turnsAway({ incoming, outgoing, connection }: Arrival): boolean {
    if (!admits()) {
      sendProblem(outgoing, 'service-refusing', { Connection: 'close' });
      return true;
    }
    const given = headerValues(incoming, 'authorization');
    if (given.length > 1 || incoming.rawHeaders.some((text) => /[\r\n\0]/.test(text))) {
      sendProblem(outgoing, 'message-malformed');
      return true;
    }
    if (connection.channel === 'clear' && given.length === 0 && clearIsRefused(connection.source)) {
      const location = secure() ? secureLocation(incoming) : undefined;
      if (location === undefined) sendProblem(outgoing, 'tls-required');
      else answer(outgoing, 308, { Location: location, Connection: 'close' });
      return true;
    }
    const scheme = connection.channel === 'encrypted' ? 'https' : 'http';
    if (isUnsafe(incoming.method) && isForeign(incoming, scheme)) {
      sendProblem(outgoing, 'forgery-suspected');
      return true;
    }
    // Requests that were sent ahead of the answer that closes the connection are not judged any more.
    if (connection.exhausted()) {
      sendProblem(outgoing, 'login-refused', { ...challenge, Connection: 'close' });
      return true;
    }
    return false;
  }

  async function admit(arrival: Arrival, forms?: 'checked'): Promise<Admitted | undefined> {
    const { incoming, outgoing, connection } = arrival;
    const [authorization] = headerValues(incoming, 'authorization');
    const web =
      authorization === undefined
        ? ((await webSessionOf(arrival)) ?? (await signInByCertificate(arrival)))
        : undefined;
    if (web) {
      const [token] = headerValues(incoming, tokenHeader);
      if (isUnsafe(incoming.method) && forms !== 'checked' && !isToken(token, web.token)) {
        sendProblem(outgoing, 'forgery-suspected');
        return undefined;
      }
      if (!web.session.admitsOperations()) {
        sendProblem(outgoing, 'service-refusing', { Connection: 'close' });
        return undefined;
      }
      connection.vouch();
      return { session: web.session, web };
    }
    const admission = await connection.admit(authorization, headerValues(incoming, secondFactorHeader)[0]);
    if (admission.kind === 'admitted') {
      if (admission.session.admitsOperations()) return { session: admission.session, web: undefined };
      sendProblem(outgoing, 'service-refusing', { Connection: 'close' });
      return undefined;
    }
    if (admission.fault === 'login-refused') askToSignIn(arrival, authorization);
    else if (admission.fault === 'tls-required') {
      context.notice({
        kind: 'credential-exposed',
        server: connection.server.id,
        source: connection.source,
        ...(admission.user === undefined ? {} : { account: admission.user }),
        outcome: 'refused',
        reason: 'tls-required',
      });
      sendProblem(outgoing, 'tls-required', { Connection: 'close' });
    } else sendProblem(outgoing, admission.fault);
    return undefined;
  }

  return { turnsAway, admit };
}

/** Runs what a web session asked for; the end of the session cuts it. */
export async function underWebSession(
  web: WebSession,
  outgoing: Outgoing,
  run: () => Promise<void>,
): Promise<void> {
  const end = () => cut(outgoing);
  if (web.session.ended.aborted) return end();
  const release = web.hold();
  web.session.ended.addEventListener('abort', end);
  try {
    await run();
  } finally {
    web.session.ended.removeEventListener('abort', end);
    release();
  }
}

/** The same target over TLS on the same host and port, if the Host header is one that we would repeat. */
function secureLocation(incoming: Incoming): string | undefined {
  const host = authorityOf(incoming);
  const target = incoming.url ?? '';
  return /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/.test(host) && target.startsWith('/')
    ? `https://${host}${target}`
    : undefined;
}
