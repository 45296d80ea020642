import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { fillChainFacts } from '@sallyport/api/init';
import { openDatabase } from '@sallyport/control-plane/database';
import { schemaNumber } from '@sallyport/store';
import { sql } from 'drizzle-orm';
import { migrate } from 'drizzle-orm/libsql/migrator';

const migrationsFolder = resolve(import.meta.dirname, '../../../migrations');

/** Makes a database file that its owner alone can read, before SQLite would make it under the umask; its WAL takes over the mode. */
async function makePrivate(url: string): Promise<void> {
  if (!url.startsWith('file:')) return;
  const file = await open(fileURLToPath(new URL(url, pathToFileURL(`${process.cwd()}/`))), 'a', 0o600);
  await file.close();
}

/**
 * Applies the numbered migrations that a database does not have yet, in one transaction each.
 *
 * @returns the schema number afterwards
 */
export async function migrateDatabase(url: string, authToken?: string): Promise<number> {
  await makePrivate(url);
  const { database, close } = await openDatabase(url, authToken);
  try {
    await migrate(database.writing, { migrationsFolder });
    await database.writing.transaction(fillChainFacts);
    await database.writing.run(sql`UPDATE installation SET "schema" = ${schemaNumber} WHERE id = 1`);
    return schemaNumber;
  } finally {
    close();
  }
}
