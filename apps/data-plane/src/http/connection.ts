import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { FaultCode } from '@sallyport/faults';
import type { HttpServer } from '@sallyport/model';
import type { CredentialFact } from '@sallyport/policy';
import type { AdapterContext } from '../adapter.ts';
import type { CredentialStands, LoginAttempt, LoginOutcome } from '../login.ts';
import type { Session } from '../session.ts';
import { basicCredentials } from './basic.ts';

/** Requests that a client may have sent ahead; more of them end the connection. */
const maxPipelined = 16;
/** An admitted connection without a request is closed after this time, or its idle limit if that is shorter. */
const keepAliveMs = 75_000;

/** Who a request comes from, as far as its credentials go. */
export type Admission =
  | { readonly kind: 'admitted'; readonly session: Session }
  /** `user` is the name that was tried. */
  | { readonly kind: 'refused'; readonly fault: FaultCode; readonly user?: string };

/** What carries requests: the socket of HTTP/1.1, the session of HTTP/2. */
export interface Carrier {
  readonly destroyed: boolean;
  destroy(): unknown;
  setTimeout(ms: number): unknown;
  on(event: 'timeout', listener: () => void): unknown;
  once(event: 'close', listener: () => void): unknown;
}

/** One accepted connection, after TLS where it has TLS. */
export interface HttpConnection {
  readonly server: HttpServer;
  readonly source: string;
  readonly channel: 'encrypted' | 'clear';
  /** The client certificate of the connection, judged. */
  readonly credential: CredentialFact;
  readonly credentialStands: CredentialStands | undefined;
  /**
   * Admits a request by its Authorization header and the client certificate of the connection. The session stays
   * for later requests with the same header: those are not judged again.
   *
   * @param code of the second factor, where the login needs one
   */
  admit(authorization: string | undefined, code?: string): Promise<Admission>;
  /** A login of its own, for a session that outlives the connection. */
  openAttempt(): LoginAttempt;
  /** The only account that the client's certificate is registered on; one of several accounts names none. */
  readonly nameOfCertificate: string | undefined;
  /** A login was refused: counts towards `exhausted`. */
  countRefusal(): void;
  /** A request was admitted by other means than `admit`: the connection is no stranger's. */
  vouch(): void;
  /** True once as many logins were refused as the limits allow: the answer then closes the connection. */
  readonly exhausted: () => boolean;
  /** True while a request is being served: its answer may be half written. */
  readonly busy: () => boolean;
  /** Serves a request: on HTTP/1.1 when those before it are done, on HTTP/2 at once. */
  enqueue(serve: () => Promise<void>): void;
}

export function createHttpConnection(options: {
  readonly carrier: Carrier;
  readonly ordering: 'one-by-one' | 'concurrent';
  readonly server: HttpServer;
  readonly source: string;
  readonly channel: 'encrypted' | 'clear';
  readonly credential: CredentialFact;
  readonly credentialStands?: CredentialStands | undefined;
  readonly context: AdapterContext;
}): HttpConnection {
  const { carrier, ordering, server, source, channel, credential, context } = options;
  const { limits } = server;
  const nameOfCertificate = onlyAccountOf(credential);

  function openAttempt(): LoginAttempt {
    const opened = context.login.open({ server: server.id, source, channel });
    if (channel === 'encrypted') opened.tlsCredential(credential, options.credentialStands);
    return opened;
  }

  const attempt = openAttempt();
  // A digest under a key of this connection stands for the header, so that no password is kept.
  const key = randomBytes(32);
  const digestOf = (header: string): Buffer => createHmac('sha256', key).update(header).digest();
  let current: { readonly digest: Buffer; readonly session: Session } | undefined;
  /** Requests with the same header that come together are one login. */
  let admitting: Promise<unknown> = Promise.resolve();
  let refusals = 0;
  let standing: 'stranger' | 'known' = 'stranger';

  let pending = 0;
  let last: Promise<void> = Promise.resolve();
  const destroy = () => carrier.destroy();
  let deadline = setTimeout(destroy, limits.loginGraceSeconds * 1_000);
  carrier.setTimeout(limits.idleSeconds * 1_000);
  carrier.on('timeout', destroy);
  carrier.once('close', () => {
    clearTimeout(deadline);
    // A transfer that this cuts reports to its session first.
    if (pending === 0) dropSession();
  });

  function dropSession(): void {
    current?.session.ended.removeEventListener('abort', destroy);
    current?.session.close();
    current = undefined;
  }

  function vouch(): void {
    // From now on the idle time is the limit, no longer the time to log in.
    clearTimeout(deadline);
    standing = 'known';
  }

  function take(session: Session, digest: Buffer): Admission {
    // Of requests that are served together none may lose its session to another.
    if (current && pending > 1 && ordering === 'concurrent') {
      session.close();
      return { kind: 'refused', fault: 'connection-taken' };
    }
    dropSession();
    if (carrier.destroyed || session.ended.aborted) {
      session.close();
      destroy();
      return { kind: 'refused', fault: 'service-refusing' };
    }
    vouch();
    session.ended.addEventListener('abort', destroy);
    current = { digest, session };
    return { kind: 'admitted', session };
  }

  async function proveFirst(
    authorization: string | undefined,
  ): Promise<{ user?: string; outcome?: LoginOutcome }> {
    if (authorization === undefined) {
      const user = nameOfCertificate;
      return user === undefined ? {} : { user, outcome: await attempt.name(user) };
    }
    const basic = basicCredentials(authorization);
    return basic ? { user: basic.user, outcome: await attempt.password(basic.user, basic.password) } : {};
  }

  async function prove(
    authorization: string | undefined,
    code: string | undefined,
  ): Promise<{ user?: string; outcome?: LoginOutcome }> {
    const { user, outcome } = await proveFirst(authorization);
    const codeIsMissing = outcome?.kind === 'continue' && outcome.missing.includes('second-factor');
    return user !== undefined && code !== undefined && codeIsMissing
      ? { user, outcome: await attempt.secondFactor(user, code) }
      : { ...(user === undefined ? {} : { user }), ...(outcome === undefined ? {} : { outcome }) };
  }

  async function admitNext(authorization: string | undefined, code: string | undefined): Promise<Admission> {
    const digest = digestOf(authorization ?? '');
    if (current && timingSafeEqual(current.digest, digest)) {
      return { kind: 'admitted', session: current.session };
    }
    // Those that wait behind one another are no way to try more than there may be.
    if (refusals >= limits.maxAuthAttempts || carrier.destroyed) {
      return { kind: 'refused', fault: 'login-refused' };
    }
    const { user, outcome } = await prove(authorization, code);
    if (outcome?.kind === 'admitted') return take(outcome.session, digest);
    if (authorization !== undefined) refusals++;
    const fault = outcome?.kind === 'refused' ? outcome.fault : 'login-refused';
    return { kind: 'refused', fault, ...(user === undefined ? {} : { user }) };
  }

  async function run(serve: () => Promise<void>): Promise<void> {
    // Whoever is not admitted yet has its grace period and no more, whatever it asks for.
    if (standing === 'known') clearTimeout(deadline);
    // node:http has set its own timeout between requests and takes it off with the next.
    carrier.setTimeout(limits.idleSeconds * 1_000);
    if (!carrier.destroyed) await serve();
    pending--;
    if (pending > 0) return;
    if (carrier.destroyed) dropSession();
    if (standing === 'stranger' || carrier.destroyed) return;
    clearTimeout(deadline);
    deadline = setTimeout(destroy, Math.min(keepAliveMs, limits.idleSeconds * 1_000));
  }

  return {
    server,
    source,
    channel,
    credential,
    credentialStands: options.credentialStands,
    nameOfCertificate,
    openAttempt,
    vouch,
    countRefusal: () => {
      refusals++;
    },
    exhausted: () => refusals >= limits.maxAuthAttempts,
    busy: () => pending > 0,

    admit(authorization, code) {
      const admission = admitting.then(() => admitNext(authorization, code));
      admitting = admission.catch(() => {});
      return admission;
    },

    enqueue(serve) {
      pending++;
      if (ordering === 'concurrent') {
        // The streams of a connection are bounded by its settings.
        void run(serve);
        return;
      }
      if (pending > maxPipelined) {
        pending--;
        destroy();
        return;
      }
      last = last.then(() => run(serve));
    },
  };
}

function onlyAccountOf(credential: CredentialFact): string | undefined {
  if (credential.kind !== 'proved') return undefined;
  const [name, ...others] = new Set(credential.registrations.map((registration) => registration.accountName));
  return others.length === 0 ? name : undefined;
}
