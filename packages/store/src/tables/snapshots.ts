import { blob, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';

/** A published version. The unique key makes publishing idempotent: of two publishers one loses and starts anew. */
export const snapshots = sqliteTable(
  'snapshots',
  {
    zone: text().notNull(),
    trustEpoch: integer('trust_epoch').notNull(),
    version: integer().notNull(),
    /** Change sequence that the content was read at. */
    sequence: integer().notNull(),
    manifest: text().notNull(),
    digest: text().notNull(),
    createdAt: text('created_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.zone, table.trustEpoch, table.version] })],
);

/** Where a zone stands: its current version, and up to which change that version speaks. */
export const publications = sqliteTable('publications', {
  zone: text().primaryKey(),
  trustEpoch: integer('trust_epoch').notNull(),
  version: integer().notNull(),
  coveredSequence: integer('covered_sequence').notNull(),
  keyEpoch: integer('key_epoch').notNull(),
  timestamp: text().notNull(),
  issuedAt: integer('issued_at').notNull(),
  /** Why the newest change could not be published, as a fault detail. */
  refusal: text(),
});

/** Zones whose newest change is not published yet; written in the change's own transaction. */
export const outbox = sqliteTable('outbox', {
  zone: text().primaryKey(),
  sequence: integer().notNull(),
});

/** Stored section bytes by address. */
export const blobs = sqliteTable(
  'blobs',
  {
    zone: text().notNull(),
    digest: text().notNull(),
    section: text().notNull(),
    keyEpoch: integer('key_epoch').notNull(),
    /** Keyed MAC of the plaintext; null where the section is not encrypted. */
    fingerprint: text(),
    bytes: blob({ mode: 'buffer' }).notNull(),
    createdAt: text('created_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.zone, table.digest] }),
    uniqueIndex('blobs_fingerprint').on(table.zone, table.keyEpoch, table.section, table.fingerprint),
  ],
);

/** Envelopes sealed to nodes, so that an unchanged one is not sealed again. */
export const nodeEnvelopes = sqliteTable(
  'node_envelopes',
  {
    zone: text().notNull(),
    keyEpoch: integer('key_epoch').notNull(),
    node: text().notNull(),
    fingerprint: text().notNull(),
    envelope: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.zone, table.keyEpoch, table.node] })],
);

/** Zone content keys under the key-encryption key. */
export const contentKeys = sqliteTable(
  'content_keys',
  {
    zone: text().notNull(),
    keyEpoch: integer('key_epoch').notNull(),
    wrapped: text().notNull(),
    createdAt: text('created_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.zone, table.keyEpoch] })],
);

/** Signed root metadata, every version. */
export const roots = sqliteTable('roots', {
  version: integer().primaryKey(),
  trustEpoch: integer('trust_epoch').notNull(),
  envelope: text().notNull(),
});
