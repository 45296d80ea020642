import { sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { zones } from './zones.ts';

export const joinTokens = sqliteTable('join_tokens', {
  id: text().primaryKey(),
  zone: text()
    .notNull()
    .references(() => zones.id),
  nodeName: text('node_name'),
  sourceCidr: text('source_cidr'),
  /** The HMAC secret under the key-encryption key. */
  secret: text().notNull(),
  expiresAt: text('expires_at').notNull(),
  /** Signing key that spent it: a retry with the same key gets the same answer. */
  spentBy: text('spent_by'),
  node: text(),
  createdAt: text('created_at').notNull(),
});
