import { createClient } from '@libsql/client';
import { type Database, databaseOver } from '@sallyport/store';
import { drizzle } from 'drizzle-orm/libsql/node';

/** How long a second process may hold the write lock of a database file. */
const busyTimeoutMs = 5_000;

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
