import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { type Context, Hono } from 'hono';
import { createAccountTurns } from './account-turns.ts';
import { copyOrMove } from './dav/copy-move.ts';
import { lock, unlock } from './dav/lock.ts';
import type { LockGuard } from './dav/lock-guard.ts';
import { makeCollection } from './dav/make-collection.ts';
import { propfind } from './dav/propfind.ts';
import { proppatch } from './dav/proppatch.ts';
import { download } from './download.ts';
import type { Exchange } from './exchange.ts';
import { type Admitted, type Arrival, createGate, type GateOptions, underWebSession } from './gate.ts';
import { ownPrefix } from './href.ts';
import { wantsPage } from './origin-guard.ts';
import { answer } from './outgoing.ts';
import type { Pace } from './pace.ts';
import { assets } from './page/assets.ts';
import { createOwnPaths } from './page/own-paths.ts';
import { sendProblem } from './problem.ts';
import { remove } from './remove.ts';
import { type Target, targetOf } from './target.ts';
import { upload } from './upload.ts';

/** What a request brings with it, beside the request. */
export type HttpBindings = Arrival;

type Environment = { Bindings: HttpBindings };

/** What the listener says of itself at the time of a request. */
export type HttpSurroundings = GateOptions & {
  /** Runs a transfer with the block size that its load allows. */
  readonly transfer: (run: (blockSize: number) => Promise<void>) => Promise<void>;
  readonly guard: LockGuard;
  readonly pace: Pace;
};

/** Requests that work on whole trees for one account. */
const treesAtOnce = 4;

type Handler = (exchange: Exchange, form: Target['form'], admitted: Admitted) => Promise<void> | void;

/**
 * Files over HTTP: GET and HEAD (one range, conditional), PUT, DELETE; WebDAV of classes 1 and 2; a directory is
 * listed as JSON, or as a page for browsers, which sign in by a form.
 * Every answer is written to the response itself: a file goes out in blocks, not through web streams.
 */
export function createHttpApp(surroundings: HttpSurroundings): Hono<Environment> {
  const { context, guard, pace, transfer } = surroundings;
  const { now } = context;
  const app = new Hono<Environment>();
  const gate = createGate(surroundings);
  const inTurn = createAccountTurns(treesAtOnce);
  const own = createOwnPaths({ ...surroundings, gate, inTurn });

  app.use('*', async (c, next) => {
    const { incoming, outgoing } = c.env;
    const path = (incoming.url ?? '').split('?')[0] ?? '';
    const asset = incoming.method === 'GET' ? assets.get(path) : undefined;
    if (asset && c.env.connection.channel === 'encrypted') {
      const known = incoming.headers['if-none-match'] === asset.etag;
      answer(outgoing, known ? 304 : 200, asset.headers, asset.body);
      return RESPONSE_ALREADY_SENT;
    }
    if (gate.turnsAway(c.env)) return RESPONSE_ALREADY_SENT;
    if (!path.startsWith(ownPrefix)) return next();
    await own(c.env, path.slice(ownPrefix.length));
    return RESPONSE_ALREADY_SENT;
  });

  /** Hands the request to its handler, if it gets in and its target is a path. */
  const at =
    (handle: Handler) =>
    async (c: Context<Environment>): Promise<Response> => {
      const { incoming, outgoing } = c.env;
      const admitted = await gate.admit(c.env);
      if (!admitted) return RESPONSE_ALREADY_SENT;
      const { session, web } = admitted;
      const target = targetOf(incoming.url ?? '');
      if (!target.ok) {
        sendProblem(outgoing, target.fault.code);
        return RESPONSE_ALREADY_SENT;
      }
      const { path, form } = target.value;
      const run = () =>
        transfer(async (blockSize) =>
          handle({ incoming, outgoing, session, path, blockSize }, form, admitted),
        );
      await (web ? underWebSession(web, outgoing, run) : run());
      return RESPONSE_ALREADY_SENT;
    };

  const onTree = ({ session }: Exchange, work: () => Promise<void>) => inTurn(session.account.id, work);

  const methods: Readonly<Record<string, Handler>> = {
    OPTIONS: ({ outgoing }) => answer(outgoing, 200, { Allow: allowed, DAV: '1, 2', 'MS-Author-Via': 'DAV' }),
    GET: (exchange, form, { session, web }) => {
      const user = { name: session.account.name, token: web?.token ?? '' };
      return download(exchange, form, wantsPage(exchange.incoming) ? user : undefined);
    },
    PUT: (exchange, form) => upload(exchange, form, { guard, pace }),
    DELETE: (exchange) => onTree(exchange, () => remove(exchange, guard)),
    PROPFIND: (exchange) => propfind(exchange, guard, now),
    PROPPATCH: (exchange) => proppatch(exchange, guard),
    MKCOL: (exchange) => makeCollection(exchange, guard),
    COPY: (exchange) => onTree(exchange, () => copyOrMove(exchange, guard, 'copy')),
    MOVE: (exchange) => onTree(exchange, () => copyOrMove(exchange, guard, 'move')),
    LOCK: (exchange) => lock(exchange, guard, now),
    UNLOCK: (exchange) => unlock(exchange, guard, now),
  };
  // Hono takes HEAD to where GET is.
  const allowed = ['HEAD', ...Object.keys(methods)].join(', ');
  for (const [method, handle] of Object.entries(methods)) app.on(method, '*', at(handle));
  app.all(
    '*',
    at(({ outgoing }) => sendProblem(outgoing, 'method-not-allowed', { Allow: allowed })),
  );
  app.onError((error, c) => {
    const { server, source } = c.env.connection;
    const reason = `internal: ${error.name}`;
    context.notice({ kind: 'listener', server: server.id, source, outcome: 'failed', reason });
    sendProblem(c.env.outgoing, 'internal');
    return RESPONSE_ALREADY_SENT;
  });
  return app;
}
