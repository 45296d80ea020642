import { z } from 'zod';
import { cidr, id, reportedText, time } from './scalars.ts';

/** What failures are counted by (design section 4): an account from one source, a source, an account. */
export const lockoutCounters = ['account-source', 'source', 'account'] as const;
export type LockoutCounter = (typeof lockoutCounters)[number];

/** Failures that begin a block, as far as they have not leaked away since; `null` does not count that way. */
const threshold = (failures: number) => z.int().min(1).max(100_000).nullable().default(failures);

/**
 * When passwords and codes are refused because too many were wrong. Fields that are left out take their defaults. Only
 * the password and the second factor are refused: keys and certificates go on.
 */
export const lockoutSettings = z.strictObject({
  /** Wrong proofs for one login name from one source. */
  accountSource: threshold(5),
  /** Wrong proofs from one source, an IPv4 address or an IPv6 /64, whatever the names. */
  source: threshold(30),
  /** Wrong proofs for one account, wherever they come from. */
  account: threshold(100),
  /** A full counter leaks, and is empty after this time. */
  windowSeconds: z.int().min(10).max(86_400).default(600),
  /** First block; each one that follows is twice as long. */
  blockSeconds: z.int().min(1).max(86_400).default(60),
  longestBlockSeconds: z.int().min(1).max(86_400).default(3_600),
  /** No sooner than this is a wrong proof answered, on every protocol. */
  failureDelayMs: z.int().min(0).max(10_000).default(500),
  /** Networks whose failures are not counted and which are never blocked. */
  allow: z.array(cidr).max(200).default([]),
});
export type LockoutSettings = z.infer<typeof lockoutSettings>;

export const defaultLockoutSettings: LockoutSettings = lockoutSettings.parse({});

const account = reportedText.min(1).max(80);
const source = reportedText.min(1).max(64);

/** Who is locked out. `account` is a login name, `source` an IPv4 address or an IPv6 /64. */
export const lockoutTarget = z.discriminatedUnion('counter', [
  z.strictObject({ counter: z.literal('account-source'), account, source }),
  z.strictObject({ counter: z.literal('source'), source }),
  z.strictObject({ counter: z.literal('account'), account }),
]);
export type LockoutTarget = z.infer<typeof lockoutTarget>;

/** A block that the nodes of a zone share. */
export const lockout = z.strictObject({
  id,
  zone: id,
  counter: z.enum(lockoutCounters),
  /** Login name. */
  account: z.string().optional(),
  source: z.string().optional(),
  /** Node that counted. */
  node: id,
  since: time,
  until: time,
});
export type Lockout = z.infer<typeof lockout>;
