import type { AlgorithmPolicy } from '@sallyport/model';
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/** Custom algorithm policies; `definition` holds the whole policy as the model has it. */
export const algorithmPolicies = sqliteTable('algorithm_policies', {
  id: text().primaryKey(),
  name: text().notNull().unique(),
  definition: text({ mode: 'json' }).$type<AlgorithmPolicy>().notNull(),
  version: integer().notNull(),
});
