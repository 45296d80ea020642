import { primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/** Which host keys an account's clients have shown that they know. */
export const hostKeyReceipts = sqliteTable(
  'host_key_receipts',
  {
    server: text().notNull(),
    /** Login name, as the node reported it. */
    account: text().notNull(),
    /** `SHA256:` and base64 of the public key blob. */
    fingerprint: text().notNull(),
    firstAt: text('first_at').notNull(),
    lastAt: text('last_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.server, table.account, table.fingerprint] })],
);
