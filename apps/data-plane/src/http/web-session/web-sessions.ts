import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Session } from '../../session.ts';
import type { WebSessionStore } from './store.ts';

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
  /** @returns the cookie; nothing where there are too many: the session is closed then */
  begin(session: Session, binding: Binding): Promise<string | undefined>;
  /** @param idleMs without a request for so long it is over */
  find(cookie: string, binding: Binding, idleMs: number): Promise<WebSession | undefined>;
  /** Signs out. */
  end(cookie: string): Promise<void>;
  /** Ends all of this process. */
  close(): void;
}

/** However busy it is, a web session ends after this time. */
export const absoluteMs = 12 * 3_600_000;

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
}): WebSessions {
  const { store, now } = options;
  const live = new Map<string, Live>();

  function finish(digest: string): void {
    const one = live.get(digest);
    if (!one) return;
    live.delete(digest);
    clearTimeout(one.timer);
    one.over = true;
    void store.remove(digest);
    // A transfer that this cuts reports to its session first.
    if (one.held === 0) one.session.close();
  }

  function idleFrom(digest: string, one: Live, idleMs: number, startedAt: number): void {
    clearTimeout(one.timer);
    const left = Math.min(idleMs, startedAt + absoluteMs - now());
    one.timer = setTimeout(
      () => {
        // A long download is use, though no request comes.
        if (one.held > 0 && now() < startedAt + absoluteMs) idleFrom(digest, one, idleMs, startedAt);
        else finish(digest);
      },
      Math.max(1, left),
    );
    one.timer.unref();
  }

  return {
    async begin(session, binding) {
      const cookie = randomBytes(32).toString('base64url');
      const digest = digestOf(cookie);
      const startedAt = now();
      const record = { digest, account: session.account.id, startedAt, seenAt: startedAt, ...binding };
      if (session.ended.aborted || (await store.add(record)) === 'full') {
        session.close();
        return undefined;
      }
      const one: Live = { session, held: 0, over: false, timer: undefined };
      live.set(digest, one);
      idleFrom(digest, one, absoluteMs, startedAt);
      session.ended.addEventListener('abort', () => finish(digest), { once: true });
      return cookie;
    },

    async find(cookie, binding, idleMs) {
      const digest = digestOf(cookie);
      const record = await store.seen(digest, now());
      const one = live.get(digest);
      if (!record || !one || one.session.ended.aborted) return undefined;
      if (now() - record.seenAt >= idleMs || now() - record.startedAt >= absoluteMs) {
        finish(digest);
        return undefined;
      }
      const { server, network, credential } = binding;
      const same =
        record.server === server &&
        record.network === network &&
        (record.credential === undefined || record.credential === credential);
      // Whoever has a stolen cookie must not be able to end the session of its owner.
      if (!same) return undefined;
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
