import { argon2 } from 'node:crypto';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { createAdaptorServer, type HttpBindings } from '@hono/node-server';
import { createClient } from '@libsql/client';
import { createApi, inProcessFeed, publishPending } from '@sallyport/api';
import { argon2Parameters, formatPasswordHash } from '@sallyport/model';
import { type Database, databaseOver, type Store } from '@sallyport/store';
import { drizzle } from 'drizzle-orm/libsql/node';
import { assemble } from './assemble.ts';
import { loadSettings, randomBytes } from './secrets.ts';

const argon2Async = promisify(argon2);

/** How long a second process may hold the write lock of a database file. */
const busyTimeoutMs = 5_000;
/** How often changes are looked for whose publication was cut short. */
const outboxPeriodMs = 5_000;

/** Opens a libSQL database by URL: a local file, or a server over HTTP. */
export async function openDatabase(
  url: string,
  authToken?: string,
): Promise<{ database: Database; close(): void }> {
  const client = createClient({
    url,
    timeout: busyTimeoutMs,
    ...(authToken === undefined ? {} : { authToken }),
  });
  if (url.startsWith('file:')) {
    await client.execute('PRAGMA journal_mode = WAL');
    await client.execute('PRAGMA foreign_keys = ON');
  }
  return { database: databaseOver(client, (over) => drizzle({ client: over })), close: () => client.close() };
}

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
  const deferred = new Set<Promise<unknown>>();
  const deps = await assemble(settings, environment, {
    database,
    writers: databaseUrl.startsWith('file:') ? 'in-process' : 'database',
    feed: inProcessFeed(),
    hashPassword,
    defer(work) {
      const tracked = work
        .catch((error: unknown) => log('deferred work failed', error))
        .finally(() => deferred.delete(tracked));
      deferred.add(tracked);
    },
    log,
  });
  const mismatch = await deps.store.checkSchema();
  if (mismatch) {
    close();
    throw new Error(`${mismatch.detail}; run sallyport init or sallyport migrate`);
  }

  const app = createApi(deps);
  const server = createAdaptorServer({
    fetch: (request: Request, env: unknown) =>
      app.fetch(request, { source: (env as HttpBindings).incoming.socket.remoteAddress }),
  }) as Server;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen.port, listen.host, resolve);
  }).catch((error: unknown) => {
    close();
    throw error;
  });

  deps.defer(publishPending(deps));
  const timer = setInterval(() => deps.defer(publishPending(deps)), outboxPeriodMs);
  timer.unref();

  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${port}`,
    store: deps.store,
    async close() {
      clearInterval(timer);
      const closed = new Promise((resolve) => server.close(resolve));
      // Long polls would hold the server open for half a minute: their nodes simply ask again.
      server.closeAllConnections();
      await closed;
      await Promise.allSettled([...deferred]);
      close();
    },
  };
}
