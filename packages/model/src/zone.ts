import { z } from 'zod';
import { loginSettings } from './login-settings.ts';
import { alias, id, time } from './scalars.ts';
import { sslEntry } from './ssl-entry.ts';
import { userClass } from './user-class.ts';

/** Policy documents that a zone holds instead of the global ones; a document left out is inherited whole. */
export const policyOverrides = z.strictObject({
  loginSettings: loginSettings.optional(),
  userClasses: z.array(userClass).max(200).optional(),
  sslEntries: z.array(sslEntry).max(200).optional(),
});
export type PolicyOverrides = z.infer<typeof policyOverrides>;

/** How long a signed timestamp is good, and for how long after that a node may go on (design section 5). */
export const snapshotLifetimes = z.strictObject({
  timestampSeconds: z.int().min(3).max(2_592_000).default(86_400),
  graceSeconds: z.int().min(0).max(7_776_000).default(1_209_600),
});
export type SnapshotLifetimes = z.infer<typeof snapshotLifetimes>;

/** A network zone: the nodes in it run the same servers under the same policy. */
export const zone = z.strictObject({
  id,
  name: alias,
  kind: z.enum(['edge', 'internal']),
  storage: z.enum(['shared', 'node-local']),
  enrolment: z.enum(['manual', 'automatic']),
  /** What an invalid client certificate does under `optional` (design section 4; reference E5, W16). */
  onInvalidCertificate: z.enum(['allow-password', 'reject']),
  /** Fewest bits of an RSA key that may be imported for use in this zone; 1,024 is for partners who cannot do better. */
  importRsaBits: z.union([z.literal(1_024), z.literal(2_048)]),
  overrides: policyOverrides,
  snapshot: snapshotLifetimes,
  version: z.int(),
  createdAt: time,
});
export type Zone = z.infer<typeof zone>;

/** `enrolment` defaults to `manual` on an edge zone and to `automatic` inside. */
export const zoneCreate = z.strictObject({
  name: zone.shape.name,
  kind: zone.shape.kind,
  storage: zone.shape.storage.default('node-local'),
  enrolment: zone.shape.enrolment.optional(),
  onInvalidCertificate: zone.shape.onInvalidCertificate.default('allow-password'),
  importRsaBits: zone.shape.importRsaBits.default(2_048),
  overrides: policyOverrides.default({}),
  snapshot: snapshotLifetimes.prefault({}),
});
export type ZoneCreate = z.infer<typeof zoneCreate>;

export const zonePatch = z
  .strictObject({
    storage: zone.shape.storage,
    enrolment: zone.shape.enrolment,
    onInvalidCertificate: zone.shape.onInvalidCertificate,
    importRsaBits: zone.shape.importRsaBits,
    overrides: policyOverrides,
    snapshot: snapshotLifetimes,
  })
  .partial();
export type ZonePatch = z.infer<typeof zonePatch>;
