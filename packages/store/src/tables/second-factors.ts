import type { TotpAlgorithm } from '@sallyport/model';
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/** Second factors of accounts, at most one each. */
export const secondFactors = sqliteTable('second_factors', {
  account: text().primaryKey(),
  /** Under the key-encryption key. */
  secret: text().notNull(),
  algorithm: text().$type<TotpAlgorithm>().notNull(),
  digits: integer().$type<6 | 8>().notNull(),
  periodSeconds: integer('period_seconds').$type<30 | 60>().notNull(),
  createdAt: text('created_at').notNull(),
});
