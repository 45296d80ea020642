import type { LoginSettings, SslEntry, UserClass } from '@sallyport/model';
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';

export type PolicyDocument = LoginSettings | UserClass[] | SslEntry[];

/** The global policy: one row per document. */
export const policyDocuments = sqliteTable('policy_documents', {
  name: text().$type<'login-settings' | 'user-classes' | 'ssl-entries'>().primaryKey(),
  body: text({ mode: 'json' }).$type<PolicyDocument>().notNull(),
  version: integer().notNull(),
});
