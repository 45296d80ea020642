import { sha256, time } from '@sallyport/model';
import { z } from 'zod';

/** Roles that sign, besides the root itself (design section 5; TUF roles). */
export const signingRoles = ['snapshot', 'timestamp'] as const;
export type SigningRole = (typeof signingRoles)[number];

const keyId = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

/** Ed25519 public key as JWK (RFC 8037). */
export const publicJwk = z.strictObject({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
});
export type PublicJwk = z.infer<typeof publicJwk>;

const role = z
  .strictObject({ keys: z.array(keyId).min(1).max(16), threshold: z.int().min(1).max(16) })
  .refine((value) => value.threshold <= new Set(value.keys).size, 'threshold above the number of keys');

/** Who may sign what. Signed by the root keys, which the control plane never holds. */
export const rootDocument = z.strictObject({
  schema: z.literal('sallyport/root/1'),
  version: z.int().min(1),
  trustEpoch: z.int().min(1),
  keys: z.record(keyId, publicJwk),
  roles: z.strictObject({ root: role, snapshot: role, timestamp: role }),
});
export type RootDocument = z.infer<typeof rootDocument>;

/** Address and length of stored bytes. */
export const blobRef = z.strictObject({ digest: sha256, size: z.int().min(1).max(33_554_432) });
export type BlobRef = z.infer<typeof blobRef>;

export const sectionNames = [
  'servers',
  'policy',
  'trust',
  'revocation',
  'accounts',
  'credentials',
  'nodes',
] as const;
export type SectionName = (typeof sectionNames)[number];

/** Largest stored size of each section's first blob; a tree's further nodes have `maxTreeNodeBytes`. */
export const maxSectionBytes: Readonly<Record<SectionName, number>> = {
  servers: 8_388_608,
  policy: 1_048_576,
  trust: 8_388_608,
  revocation: 33_554_432,
  accounts: 1_048_576,
  credentials: 1_048_576,
  nodes: 1_048_576,
};

/** What one version of a zone's configuration consists of. */
export const manifestDocument = z.strictObject({
  schema: z.literal('sallyport/manifest/1'),
  zone: z.string(),
  trustEpoch: z.int().min(1),
  keyEpoch: z.int().min(1),
  version: z.int().min(1),
  sections: z.strictObject({
    servers: blobRef,
    policy: blobRef,
    trust: blobRef,
    revocation: blobRef,
    accounts: blobRef,
    credentials: blobRef,
    nodes: blobRef,
  }),
});
export type ManifestDocument = z.infer<typeof manifestDocument>;

/** Says that a manifest is the current one, and until when that may be believed. */
export const timestampDocument = z
  .strictObject({
    schema: z.literal('sallyport/timestamp/1'),
    zone: z.string(),
    trustEpoch: z.int().min(1),
    version: z.int().min(1),
    /** SHA-256 of the stored manifest. */
    manifest: sha256,
    issuedAt: time,
    expiresAt: time,
    graceUntil: time,
    /** Head of the audit log when this was signed, so that nodes witness it. */
    auditHead: z.strictObject({ sequence: z.int().min(0), hash: z.string() }),
  })
  .refine(
    ({ issuedAt, expiresAt, graceUntil }) =>
      Date.parse(issuedAt) < Date.parse(expiresAt) && Date.parse(expiresAt) <= Date.parse(graceUntil),
    'issuedAt, expiresAt and graceUntil must follow one another',
  );
export type TimestampDocument = z.infer<typeof timestampDocument>;

/** Largest envelopes that are looked at. */
export const maxRootBytes = 65_536;
export const maxManifestBytes = 16_384;
export const maxTimestampBytes = 4_096;

/** A version may not jump further than this, so that one bad signature cannot use up all numbers. */
export const maxVersionJump = 1_000_000;
