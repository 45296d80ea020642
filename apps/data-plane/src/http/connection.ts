import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
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

/** One accepted connection, after TLS where it has TLS. Its requests are served one after the other. */
export interface HttpConnection {
  readonly server: HttpServer;
  readonly source: string;
  readonly channel: 'encrypted' | 'clear';
  /**
   * Admits a request by its Authorization header and the client certificate of the connection. The session stays
   * for later requests with the same header: those are not judged again.
   */
  admit(authorization: string | undefined): Promise<Admission>;
  /** True once as many logins were refused as the limits allow: the answer then closes the connection. */
  readonly exhausted: () => boolean;
  /** True while a request is being served: its answer may be half written. */
  readonly busy: () => boolean;
  /** Serves a request when those before it are done. */
  enqueue(serve: () => Promise<void>): void;
}

export function createHttpConnection(options: {
  readonly socket: Socket;
  readonly server: HttpServer;
  readonly source: string;
  readonly channel: 'encrypted' | 'clear';
  readonly credential: CredentialFact;
  readonly credentialStands?: CredentialStands | undefined;
  readonly context: AdapterContext;
}): HttpConnection {
  const { socket, server, source, channel, credential, context } = options;
  const { limits } = server;
  const attempt: LoginAttempt = context.login.open({ server: server.id, source, channel });
  if (channel === 'encrypted') attempt.tlsCredential(credential, options.credentialStands);

  // A digest under a key of this connection stands for the header, so that no password is kept.
  const key = randomBytes(32);
  const digestOf = (header: string): Buffer => createHmac('sha256', key).update(header).digest();
  let current: { readonly digest: Buffer; readonly session: Session } | undefined;
  let refusals = 0;

  let pending = 0;
  let last: Promise<void> = Promise.resolve();
  const destroy = () => socket.destroy();
  let deadline = setTimeout(destroy, limits.loginGraceSeconds * 1_000);
  socket.setTimeout(limits.idleSeconds * 1_000);
  socket.on('timeout', destroy);
  socket.once('close', () => {
    clearTimeout(deadline);
    // A transfer that this cuts reports to its session first.
    last.then(dropSession);
  });

  function dropSession(): void {
    current?.session.ended.removeEventListener('abort', destroy);
    current?.session.close();
    current = undefined;
  }

  function take(session: Session, digest: Buffer): Admission {
    dropSession();
    if (socket.destroyed || session.ended.aborted) {
      session.close();
      destroy();
      return { kind: 'refused', fault: 'service-refusing' };
    }
    // From now on the idle time is the limit, no longer the time to log in.
    clearTimeout(deadline);
    session.ended.addEventListener('abort', destroy);
    current = { digest, session };
    return { kind: 'admitted', session };
  }

  /** The only account that the client's certificate is registered on; a certificate of several names none. */
  function accountOfCertificate(): string | undefined {
    if (credential.kind !== 'proved') return undefined;
    const [name, ...others] = new Set(
      credential.registrations.map((registration) => registration.accountName),
    );
    return others.length === 0 ? name : undefined;
  }

  async function prove(
    authorization: string | undefined,
  ): Promise<{ user?: string; outcome?: LoginOutcome }> {
    if (authorization === undefined) {
      const user = accountOfCertificate();
      return user === undefined ? {} : { user, outcome: await attempt.name(user) };
    }
    const basic = basicCredentials(authorization);
    return basic ? { user: basic.user, outcome: await attempt.password(basic.user, basic.password) } : {};
  }

  return {
    server,
    source,
    channel,
    exhausted: () => refusals >= limits.maxAuthAttempts,
    busy: () => pending > 0,

    async admit(authorization) {
      const digest = digestOf(authorization ?? '');
      if (current && timingSafeEqual(current.digest, digest)) {
        return { kind: 'admitted', session: current.session };
      }
      const { user, outcome } = await prove(authorization);
      if (outcome?.kind === 'admitted') return take(outcome.session, digest);
      if (authorization !== undefined) refusals++;
      const fault = outcome?.kind === 'refused' ? outcome.fault : 'login-refused';
      return { kind: 'refused', fault, ...(user === undefined ? {} : { user }) };
    },

    enqueue(serve) {
      if (++pending > maxPipelined) {
        destroy();
        return;
      }
      last = last.then(async () => {
        // Whoever is not admitted yet has its grace period and no more, whatever it asks for.
        if (current) clearTimeout(deadline);
        // node:http has set its own timeout between requests and takes it off with the next.
        socket.setTimeout(limits.idleSeconds * 1_000);
        if (!socket.destroyed) await serve();
        pending--;
        if (!current || socket.destroyed) return;
        clearTimeout(deadline);
        deadline = setTimeout(destroy, Math.min(keepAliveMs, limits.idleSeconds * 1_000));
      });
    },
  };
}
