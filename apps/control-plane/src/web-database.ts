import { createClient } from '@libsql/client/web';
import { type Database, databaseOver } from '@sallyport/store';
import { drizzle } from 'drizzle-orm/libsql/web';
import type { PlatformSettings } from './secrets.ts';

/**
 * A libSQL server over HTTP, by `fetch` alone: for runtimes without a file system. Nothing is opened until a request
 * asks, and every transaction is a stream of its own.
 */
export function openWebDatabase(settings: PlatformSettings): Database {
  const { SALLYPORT_DATABASE_URL: url, SALLYPORT_DATABASE_TOKEN: authToken } = settings;
  const client = createClient({
    url,
    ...(authToken === undefined ? {} : { authToken }),
    // The client's own queue would let one request wait for another's answer, which workers do not survive.
    concurrency: Number.POSITIVE_INFINITY,
  });
  return databaseOver(client, (over) => drizzle({ client: over }));
}
