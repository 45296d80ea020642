import type { PolicyOverrides, SnapshotLifetimes, Zone } from '@sallyport/model';
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';

export const zones = sqliteTable('zones', {
  id: text().primaryKey(),
  name: text().notNull().unique(),
  kind: text().$type<Zone['kind']>().notNull(),
  storage: text().$type<Zone['storage']>().notNull(),
  enrolment: text().$type<Zone['enrolment']>().notNull(),
  onInvalidCertificate: text('on_invalid_certificate').$type<Zone['onInvalidCertificate']>().notNull(),
  /** Fewest bits of an RSA key that may be imported for use in this zone. */
  importRsaBits: integer('import_rsa_bits').$type<Zone['importRsaBits']>().notNull().default(2048),
  overrides: text({ mode: 'json' }).$type<PolicyOverrides>().notNull(),
  snapshot: text({ mode: 'json' }).$type<SnapshotLifetimes>().notNull(),
  version: integer().notNull(),
  createdAt: text('created_at').notNull(),
});
