import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { CredentialStands } from '../../login.ts';
import type { Session } from '../../session.ts';
import type { ResumeSession } from '../../session-resumption.ts';
import { absoluteMs, type WebSessionRecord, type WebSessionStore } from './store.ts';

/** What a sign-in was decided for. A cookie that comes from elsewhere has to sign in there. */
export type Binding = {
  readonly server: string;
  readonly network: string;
  /** The client certificate that the sign-in rests on; absent where it rests on none. */
  readonly credential: string | undefined;
};

/** A web session that a request belongs to. */
export type WebSession = {
  readonly session: Session;
  /** What forms and scripts of our own pages send along, and nobody else's can. */
  readonly token: string;
  /** Keeps the session open until the answer is given; called once. */
  readonly hold: () => () => void;
};

/** Sign-ins of browsers. Each is one session of the login desk, ended by whatever ends that. */
export interface WebSessions {
  /**
   * @param idleMs without a request for so long it is over
   * @returns the cookie; nothing where there are too many: the session is closed then
   */
  begin(session: Session, binding: Binding, idleMs: number): Promise<string | undefined>;
  /**
   * The session of a cookie, whichever process began it.
   *
   * @param idleMs without a request for so long it is over
   * @param stands judges the client certificate of the connection
   */
  find(
    cookie: string,
    binding: Binding,
    idleMs: number,
    stands?: CredentialStands,
  ): Promise<WebSession | undefined>;
  /** Signs out. */
  end(cookie: string): Promise<void>;
  /** Ends all of this process. */
  close(): void;
}

type Live = { readonly session: Session; held: number; over: boolean; timer: NodeJS.Timeout | undefined };

const digestOf = (cookie: string): string => createHash('sha256').update(cookie).digest('hex');

/** Follows from the cookie, which no other site can read, and does not give it away. */
const tokenOf = (cookie: string): string =>
  createHmac('sha256', cookie).update('anti-forgery').digest('base64url');

/** Compares what a request sent with the token of its session, in constant time. */
export function isToken(given: string | undefined, token: string): boolean {
  const left = Buffer.from(given ?? '');
  const right = Buffer.from(token);
  return left.length === right.length && timingSafeEqual(left, right);
}

export function createWebSessions(options: {
  readonly store: WebSessionStore;
  readonly now: () => number;
  /** Left out, a session is found in the process alone that began it. */
  readonly resume?: ResumeSession | undefined;
}): WebSessions {
  const { store, now } = options;
  const live = new Map<string, Live>();
  const resuming = new Map<string, Promise<Live | undefined>>();

  function finish(digest: string): void {
    const one = live.get(digest);
    if (!one) return;
    live.delete(digest);
    clearTimeout(one.timer);
    one.over = true;
    void store.remove(digest).catch(() => undefined);
    // A transfer that this cuts reports to its session first.
    if (one.held === 0) one.session.close();
  }

  function idleFrom(digest: string, one: Live, idleMs: number, startedAt: number): void {
    clearTimeout(one.timer);
    // Twice in the time that it may be idle, so that no other process takes a long download here for idleness.
    const left = Math.min(idleMs / 2, startedAt + absoluteMs - now());
    one.timer = setTimeout(() => void look(digest, one, idleMs, startedAt), Math.max(1, left));
    one.timer.unref();
  }

  /** Ends it where it has been idle, in every process, for too long. */
  async function look(digest: string, one: Live, idleMs: number, startedAt: number): Promise<void> {
    // A long download is use, though no request comes.
    const looked = one.held > 0 ? store.seen(digest, now()) : store.peek(digest);
    const record = await looked.catch(() => undefined);
    if (live.get(digest) !== one) return;
    const idle = one.held > 0 || !record ? 0 : now() - record.seenAt;
    if (!record || idle >= idleMs || now() >= startedAt + absoluteMs) finish(digest);
    else idleFrom(digest, one, Math.min(idleMs, 2 * (idleMs - idle)), startedAt);
  }

  function keep(digest: string, session: Session): Live {
    const one: Live = { session, held: 0, over: false, timer: undefined };
    live.set(digest, one);
    session.ended.addEventListener('abort', () => finish(digest), { once: true });
    return one;
  }

  /** Serves here as well what another process has begun. Requests that come together wait for the same answer. */
  function resumed(
    digest: string,
    { session: id, admission }: WebSessionRecord,
    stands: CredentialStands | undefined,
  ): Promise<Live | undefined> {
    const waiting = resuming.get(digest);
    if (waiting || !admission || !options.resume) return waiting ?? Promise.resolve(undefined);
    const attempt = options
      .resume(id, admission, stands)
      .then(async (session) => {
        if (!session) return undefined;
        const one = keep(digest, session);
        // It may have ended there meanwhile.
        if (session.ended.aborted || !(await store.peek(digest))) finish(digest);
        return live.get(digest) === one ? one : undefined;
      })
      .finally(() => resuming.delete(digest));
    resuming.set(digest, attempt);
    return attempt;
  }

  return {
    async begin(session, binding, idleMs) {
      const cookie = randomBytes(32).toString('base64url');
      const digest = digestOf(cookie);
      const startedAt = now();
      const { id, admission } = session;
      const record = {
        ...{ digest, account: session.account.id, session: id, admission },
        ...{ startedAt, seenAt: startedAt, ...binding },
      };
      if (session.ended.aborted || (await store.add(record)) === 'full') {
        session.close();
        return undefined;
      }
      idleFrom(digest, keep(digest, session), idleMs, startedAt);
      return cookie;
    },

    async find(cookie, binding, idleMs, stands) {
      const digest = digestOf(cookie);
      const record = await store.peek(digest);
      // Where there is none any more, another process has ended it.
      if (!record || now() - record.seenAt >= idleMs || now() - record.startedAt >= absoluteMs) {
        finish(digest);
        // The process that began it may be gone: nobody else would take it out.
        if (record) void store.remove(digest).catch(() => undefined);
        return undefined;
      }
      const { server, network, credential } = binding;
      const same =
        record.server === server &&
        record.network === network &&
        (record.credential === undefined || record.credential === credential);
      // Whoever has a stolen cookie must not be able to end the session of its owner.
      if (!same) return undefined;
      const one = live.get(digest) ?? (await resumed(digest, record, stands));
      if (!one || one.session.ended.aborted) return undefined;
      // Noted last: a cookie that is no good here keeps nothing from ending.
      void store.seen(digest, now()).catch(() => undefined);
      idleFrom(digest, one, idleMs, record.startedAt);
      return {
        session: one.session,
        token: tokenOf(cookie),
        hold() {
          one.held++;
          return () => {
            one.held--;
            if (one.over && one.held === 0) one.session.close();
          };
        },
      };
    },

    async end(cookie) {
      finish(digestOf(cookie));
    },

    close() {
      for (const digest of [...live.keys()]) finish(digest);
    },
  };
}
