import { z } from 'zod';
import { group, id, label, text, time } from './scalars.ts';

/** What an account may do below a path. */
export const fileOperations = [
  'read',
  'write',
  'list',
  'create',
  'delete',
  'rename',
  'mkdir',
  'rmdir',
  'chmod',
  'link',
] as const;
export type FileOperation = (typeof fileOperations)[number];

const withoutDots = (path: string): boolean => !path.split('/').some((name) => name === '.' || name === '..');

/** Operations allowed at a path and below it; the longest matching path alone decides. */
export const pathPermission = z.strictObject({
  path: text.startsWith('/').max(4_096).refine(withoutDots, 'no . and no ..'),
  allow: z.array(z.enum(fileOperations)).max(fileOperations.length),
});
export type PathPermission = z.infer<typeof pathPermission>;

/** Login name (reference L7): no control characters, no `+ : [ /`, not starting with `*`. */
export const loginName = z
  .string()
  .min(1)
  .max(80)
  .regex(
    /^[^*+:[/\\\u0000-\u0020\u007f-\u00a0\u2028\u2029\ud800-\udfff][^+:[/\\\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]*$/u,
    'not a login name',
  );

/** A password as it is set; never stored and never answered. */
export const newPassword = text.min(8).max(1_024);

/** Folder of the account below the node's files root: `/partners/acme`. */
export const homePath = z
  .string()
  .max(1_024)
  .regex(/^(\/[^/\u0000-\u001f\u007f\ud800-\udfff]+)+$/u, 'an absolute path without a trailing slash')
  .refine(withoutDots, 'no . and no ..');

export const accountLimits = z.strictObject({
  maxSessions: z.int().min(1).max(10_000).default(100),
});

/** How a registered X.509 certificate is compared with the one a client proves (design section 4). */
export const certificateMatch = z.enum(['certificate', 'public-key', 'issuer+subject']);
export type CertificateMatch = z.infer<typeof certificateMatch>;

/** `path`: trusted through a chain to one of the zone's CAs. `pinned`: its own anchor, for this account alone. */
export const credentialAnchor = z.enum(['path', 'pinned']);
export type CredentialAnchor = z.infer<typeof credentialAnchor>;

/** A partner or a program that may log in. */
export const account = z.strictObject({
  id,
  name: loginName,
  /** Zones whose nodes know this account; never implied. */
  zones: z.array(id).min(1).max(100),
  groups: z.array(group).max(100),
  home: homePath,
  enabled: z.boolean(),
  locked: z.boolean(),
  password: z.enum(['set', 'none']),
  secondFactor: z.enum(['set', 'none']),
  loginCertificates: z.array(id).max(100),
  permissions: z.array(pathPermission).max(100),
  limits: accountLimits,
  uploadMode: z.enum(['staged', 'direct']),
  contact: label.optional(),
  version: z.int(),
  createdAt: time,
});
export type Account = z.infer<typeof account>;

/** `home` defaults to a folder named like the account; `permissions` to everything below it. */
export const accountCreate = z.strictObject({
  name: loginName,
  zones: account.shape.zones,
  groups: account.shape.groups.default([]),
  home: homePath.optional(),
  enabled: z.boolean().default(true),
  locked: z.boolean().default(false),
  password: newPassword.optional(),
  permissions: account.shape.permissions.default([{ path: '/', allow: [...fileOperations] }]),
  limits: accountLimits.prefault({}),
  uploadMode: z.enum(['staged', 'direct']).default('staged'),
  contact: label.optional(),
});
export type AccountCreate = z.infer<typeof accountCreate>;

export const accountPatch = z
  .strictObject({
    zones: account.shape.zones,
    groups: account.shape.groups,
    home: homePath,
    enabled: z.boolean(),
    locked: z.boolean(),
    /** `null` removes the password. */
    password: newPassword.nullable(),
    permissions: account.shape.permissions,
    limits: accountLimits,
    uploadMode: z.enum(['staged', 'direct']),
    contact: label.nullable(),
  })
  .partial();
export type AccountPatch = z.infer<typeof accountPatch>;
