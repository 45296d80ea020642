import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { FaultCode } from '@sallyport/faults';
import { encryptionFor } from '@sallyport/policy';
import { type Context, Hono } from 'hono';
import type { AdapterContext } from '../adapter.ts';
import type { Session } from '../session.ts';
import type { HttpConnection } from './connection.ts';
import { download } from './download.ts';
import { type Exchange, headerValues, type Incoming, type Outgoing } from './exchange.ts';
import { answer } from './outgoing.ts';
import { sendProblem } from './problem.ts';
import { remove } from './remove.ts';
import { type Target, targetOf } from './target.ts';
import { upload } from './upload.ts';

/** What a request brings with it, beside the request. */
export type HttpBindings = {
  readonly incoming: Incoming;
  readonly outgoing: Outgoing;
  readonly connection: HttpConnection;
};

type Environment = { Bindings: HttpBindings; Variables: { session: Session } };

/** What the listener says of itself at the time of a request. */
export type HttpSurroundings = {
  readonly context: AdapterContext;
  /** False while the server drains. */
  readonly admits: () => boolean;
  /** Does this port take TLS too? Then a request in clear can be sent there. */
  readonly secure: () => boolean;
  /** Runs a transfer with the block size that its load allows. */
  readonly transfer: (run: (blockSize: number) => Promise<void>) => Promise<void>;
};

/** One challenge for everyone, whatever was wrong (RFC 7617 section 2). */
const challenge = { 'WWW-Authenticate': 'Basic realm="files", charset="UTF-8"' };

const allowed = 'GET, HEAD, PUT, DELETE';

/**
 * Files over HTTP: GET and HEAD (one range, conditional), PUT, DELETE; a directory is listed as JSON.
 * Every answer is written to the ServerResponse itself: a file goes out in blocks, not through web streams.
 */
export function createHttpApp(surroundings: HttpSurroundings): Hono<Environment> {
  const { context } = surroundings;
  const app = new Hono<Environment>();

  const refuse = (c: Context<Environment>, code: FaultCode, headers?: Record<string, string>): Response => {
    sendProblem(c.env.outgoing, code, headers);
    return RESPONSE_ALREADY_SENT;
  };

  /** Must a request that names nobody be encrypted? Asked of the rules for a login without a name. */
  const clearIsRefused = (source: string): boolean => {
    const { sslEntries, userClasses } = context.view().policy;
    return encryptionFor(sslEntries, userClasses, { name: '', source }) === 'required';
  };

  app.use('*', async (c, next) => {
    const { incoming, outgoing, connection } = c.env;
    if (!surroundings.admits()) return refuse(c, 'service-refusing', { Connection: 'close' });
    const given = headerValues(incoming, 'authorization');
    if (given.length > 1) return refuse(c, 'message-malformed');
    const authorization = given[0];

    if (connection.channel === 'clear' && authorization === undefined && clearIsRefused(connection.source)) {
      const location = surroundings.secure() ? secureLocation(incoming) : undefined;
      if (location === undefined) return refuse(c, 'tls-required');
      answer(outgoing, 308, { Location: location, Connection: 'close' });
      return RESPONSE_ALREADY_SENT;
    }

    // Requests that were sent ahead of the answer that closes the connection are not judged any more.
    if (connection.exhausted()) return refuse(c, 'login-refused', { ...challenge, Connection: 'close' });
    const admission = await connection.admit(authorization);
    if (admission.kind === 'refused') {
      if (admission.fault === 'tls-required') {
        context.notice({
          kind: 'credential-exposed',
          server: connection.server.id,
          source: connection.source,
          ...(admission.user === undefined ? {} : { account: admission.user }),
          outcome: 'refused',
          reason: 'tls-required',
        });
        return refuse(c, 'tls-required', { Connection: 'close' });
      }
      if (admission.fault !== 'login-refused') return refuse(c, admission.fault);
      return refuse(c, 'login-refused', {
        ...challenge,
        ...(connection.exhausted() ? { Connection: 'close' } : {}),
      });
    }
    if (!admission.session.admitsOperations()) {
      return refuse(c, 'service-refusing', { Connection: 'close' });
    }
    c.set('session', admission.session);
    return next();
  });

  /** Hands the request to its handler, if its target is a path. */
  const at =
    (handle: (exchange: Exchange, form: Target['form']) => Promise<void>) =>
    async (c: Context<Environment>): Promise<Response> => {
      const { incoming, outgoing } = c.env;
      const target = targetOf(incoming.url ?? '');
      if (!target.ok) return refuse(c, target.fault.code);
      const { path, form } = target.value;
      await surroundings.transfer((blockSize) =>
        handle({ incoming, outgoing, session: c.get('session'), path, blockSize }, form),
      );
      return RESPONSE_ALREADY_SENT;
    };

  app.get('*', at(download));
  app.put('*', at(upload));
  app.delete('*', at(remove));
  app.all('*', (c) => refuse(c, 'method-not-allowed', { Allow: allowed }));
  app.onError((error, c) => {
    const { server, source } = c.env.connection;
    const reason = `internal: ${error.name}`;
    context.notice({ kind: 'listener', server: server.id, source, outcome: 'failed', reason });
    return refuse(c, 'internal');
  });
  return app;
}

/** The same target over TLS on the same host and port, if the Host header is one that we would repeat. */
function secureLocation(incoming: Incoming): string | undefined {
  const host = incoming.headers.host ?? '';
  const target = incoming.url ?? '';
  return /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/.test(host) && target.startsWith('/')
    ? `https://${host}${target}`
    : undefined;
}
