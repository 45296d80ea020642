import { resolve } from 'node:path';
import { openDatabase } from '@sallyport/control-plane/node';
import { schemaNumber } from '@sallyport/store';
import { sql } from 'drizzle-orm';
import { migrate } from 'drizzle-orm/libsql/migrator';

const migrationsFolder = resolve(import.meta.dirname, '../../../migrations');

/**
 * Applies the numbered migrations that a database does not have yet, in one transaction each.
 *
 * @returns the schema number afterwards
 */
export async function migrateDatabase(url: string, authToken?: string): Promise<number> {
  const { database, close } = await openDatabase(url, authToken);
  try {
    await migrate(database.writing, { migrationsFolder });
    await database.writing.run(sql`UPDATE installation SET "schema" = ${schemaNumber} WHERE id = 1`);
    return schemaNumber;
  } finally {
    close();
  }
}
