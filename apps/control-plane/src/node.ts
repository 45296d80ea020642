import { argon2 } from 'node:crypto';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay, setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createAdaptorServer, type HttpBindings } from '@hono/node-server';
import { createApi, inProcessFeed, runDueWork } from '@sallyport/api';
import { argon2Parameters, formatPasswordHash } from '@sallyport/model';
import type { Store } from '@sallyport/store';
import { assemble } from './assemble.ts';
import { openDatabase } from './database.ts';
import { nodeListRequest } from './node-list-request.ts';
import { loadSettings, randomBytes } from './secrets.ts';

const argon2Async = promisify(argon2);

/** How often it is looked for what is due: changes whose publication was cut short, revocation lists. */
const duePeriodMs = 5_000;
/** The one route that waits for news before it answers. */
const pollPath = '/v1/node/poll';

/** Argon2id by Node's own implementation (about 30 ms). */
async function hashPassword(password: string): Promise<string> {
  const { memoryKiB, passes, parallelism, tagBytes } = argon2Parameters;
  const salt = randomBytes(16);
  const tag = await argon2Async('argon2id', {
    message: password.normalize('NFC'),
    nonce: salt,
    memory: memoryKiB,
    passes,
    parallelism,
    tagLength: tagBytes,
  });
  return formatPasswordHash({ memoryKiB, passes, parallelism, salt, tag: new Uint8Array(tag) });
}

export type ControlPlane = {
  readonly url: string;
  readonly store: Store;
  /** Stops taking requests, lets running ones end, waits for publications under way and closes the database. */
  close(): Promise<void>;
};

/**
 * Starts the control plane on Node: the embedded default.
 *
 * @param environment settings and secrets (see `secrets.ts`)
 * @param listen address to bind; port 0 picks a free one
 */
export async function startControlPlane(
  environment: Record<string, unknown>,
  listen: { readonly host: string; readonly port: number },
  log: (message: string, error?: unknown) => void = (message, error) => console.error(message, error ?? ''),
): Promise<ControlPlane> {
  const settings = loadSettings(environment);
  const { SALLYPORT_DATABASE_URL: databaseUrl, SALLYPORT_DATABASE_TOKEN: databaseToken } = settings;
  const { database, close } = await openDatabase(databaseUrl, databaseToken);
  const deferred = unfinished();
  const closing = new AbortController();
  const requestList = nodeListRequest(settings.SALLYPORT_CRL_INNER_ADDRESSES ?? 'refused');
  try {
    const deps = await assemble(settings, environment, {
      database,
      writers: databaseUrl.startsWith('file:') ? 'in-process' : 'database',
      feed: inProcessFeed(),
      hashPassword,
      requestList: (url, signal) => requestList(url, AbortSignal.any([signal, closing.signal])),
      defer: (work) => deferred.add(work().catch((error: unknown) => log('deferred work failed', error))),
      log,
    });
    const mismatch = await deps.store.checkSchema();
    if (mismatch) throw new Error(`${mismatch.detail}; run sallyport init or sallyport migrate`);
    const listening = await serve(createApi(deps), listen);

    const workThrough = () => deps.defer(() => runDueWork(deps));
    workThrough();
    const timer = setInterval(workThrough, duePeriodMs);
    timer.unref();
    return {
      url: listening.url,
      store: deps.store,
      async close() {
        clearInterval(timer);
        closing.abort();
        await listening.close();
        await deferred.settled();
        close();
      },
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** Promises that somebody has to wait for before the end; they must not reject. */
function unfinished() {
  const all = new Set<Promise<unknown>>();
  return {
    add(work: Promise<unknown>): void {
      const tracked = work.finally(() => all.delete(tracked));
      all.add(tracked);
    },
    async settled(): Promise<void> {
      while (all.size > 0) await Promise.allSettled([...all]);
    },
  };
}

/** How long requests that are being answered may take to end. */
const closingMs = 5_000;

/** Answers HTTP requests on an address, until it is closed. */
async function serve(
  api: ReturnType<typeof createApi>,
  listen: { readonly host: string; readonly port: number },
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const answering = unfinished();
  const polling = unfinished();
  const server = createAdaptorServer({
    fetch(request: Request, env: unknown) {
      const answer = Promise.resolve(
        api.fetch(request, { source: (env as HttpBindings).incoming.socket.remoteAddress }),
      );
      const waits = new URL(request.url).pathname === pollPath;
      (waits ? polling : answering).add(answer.catch(() => undefined));
      return answer;
    },
  }) as Server;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen.port, listen.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${port}`,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      await Promise.race([answering.settled(), delay(closingMs, undefined, { ref: false })]);
      // The last answers are on their way out when their handlers have ended.
      await setImmediate();
      // Long polls would hold the server open for half a minute: their nodes simply ask again.
      server.closeAllConnections();
      await closed;
      await polling.settled();
    },
  };
}
