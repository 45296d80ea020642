import { blob, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { certificates } from './certificates.ts';

/** What OCSP responders say of certificates that servers present (RFC 6960), and how asking them went. */
export const ocspResponses = sqliteTable('ocsp_responses', {
  certificate: text()
    .primaryKey()
    .references(() => certificates.id),
  /** Of the certificate that was asked about: it may have been replaced since. */
  sha256: text().notNull(),
  triedAt: text('tried_at').notNull(),
  /** When the responder is asked again; absent: there is none to ask. */
  nextAt: text('next_at'),
  /** What was wrong at the last attempt; absent: it went well. */
  failure: text(),
  /** The end of `response`. */
  nextUpdate: text('next_update'),
  /** DER of the last good response that has not ended; absent: there is none. */
  response: blob({ mode: 'buffer' }).$type<Uint8Array>(),
});
