import { z } from 'zod';
import { id, label, time } from './scalars.ts';

/** Nouns and actions that a token can hold. */
export const actions = ['read', 'write'] as const;
export const nouns = [
  'zones',
  'servers',
  'certificates',
  'accounts',
  'policy',
  'nodes',
  'join-tokens',
  'snapshots',
  'sessions',
  'lockouts',
  'tokens',
  'audit',
  'events',
] as const;
export type Noun = (typeof nouns)[number];

/** Never part of a wildcard: each is granted by name (design section 3). */
export const explicitScopes = ['keys:export', 'nodes:approve', 'policy:publish', 'break-glass'] as const;
export type ExplicitScope = (typeof explicitScopes)[number];

export type Scope = `${Noun | '*'}:${(typeof actions)[number] | '*'}` | ExplicitScope;

const nounPattern = [...nouns, '\\*'].join('|');
export const scope = z
  .string()
  .regex(
    new RegExp(`^(?:(?:${nounPattern}):(?:read|write|\\*)|${explicitScopes.join('|')})$`),
    'noun:action, for example servers:write',
  );

/** A bearer token for the API; the secret is answered once and only its SHA-256 is stored. */
export const token = z.strictObject({
  id,
  label,
  scopes: z.array(scope).min(1).max(100),
  zones: z.union([z.literal('*'), z.array(id).min(1).max(100)]),
  expiresAt: time,
  lastUsedAt: time.optional(),
  createdAt: time,
});
export type Token = z.infer<typeof token>;

export const tokenCreate = z.strictObject({
  label,
  scopes: token.shape.scopes,
  zones: token.shape.zones,
  validDays: z.int().min(1).max(365).default(90),
});
export type TokenCreate = z.infer<typeof tokenCreate>;
