import { z } from 'zod';
import { alias, base64, cidr, host, id, port, reportedText, time } from './scalars.ts';
import { passiveRange } from './server.ts';
import { sessionReport } from './session.ts';

/** What one node changes in a server of its zone. */
export const listenerOverride = z.strictObject({
  server: id,
  run: z.boolean().optional(),
  host: host.optional(),
  port: port.optional(),
  passiveAddress: z.ipv4().optional(),
  passiveRange: passiveRange.optional(),
});
export type ListenerOverride = z.infer<typeof listenerOverride>;

/** How a node sees its own snapshot (design section 5). */
export const servingStates = ['serving', 'stale', 'grace', 'refusing'] as const;
export type ServingState = (typeof servingStates)[number];

/** One item of a snapshot, applied or quarantined. */
export const itemReport = z.strictObject({
  item: reportedText.max(200),
  result: z.enum(['ack', 'nack']),
  fault: reportedText.max(64).optional(),
  detail: reportedText.max(500).optional(),
});
export type ItemReport = z.infer<typeof itemReport>;

export const node = z.strictObject({
  id,
  name: alias,
  zone: id,
  state: z.enum(['pending', 'active', 'removed']),
  /** Raw Ed25519 and X25519 public keys. */
  signingKey: base64,
  sealingKey: base64,
  overrides: z.array(listenerOverride).max(1_000),
  lastSeenAt: time.optional(),
  appliedVersion: z.int().optional(),
  serving: z.enum(servingStates).optional(),
  items: z.array(itemReport),
  version: z.int(),
  createdAt: time,
});
export type Node = z.infer<typeof node>;

export const nodePatch = z
  .strictObject({
    state: z.enum(['active', 'removed']),
    overrides: z.array(listenerOverride).max(1_000),
  })
  .partial();
export type NodePatch = z.infer<typeof nodePatch>;

/** A one-time invitation for a node; the token itself is answered once. */
export const joinToken = z.strictObject({
  id,
  zone: id,
  nodeName: alias.optional(),
  sourceCidr: cidr.optional(),
  expiresAt: time,
  state: z.enum(['open', 'spent', 'expired']),
  node: id.optional(),
  createdAt: time,
});
export type JoinToken = z.infer<typeof joinToken>;

export const joinTokenCreate = z.strictObject({
  zone: id,
  nodeName: alias.optional(),
  sourceCidr: cidr.optional(),
  validSeconds: z.int().min(1).max(86_400).default(3_600),
});
export type JoinTokenCreate = z.infer<typeof joinTokenCreate>;

const shortBase64 = base64.max(128);

/**
 * What a joining node sends: `proof` is HMAC-SHA-256 under the token's secret over both public keys,
 * `signature` the new signing key's Ed25519 signature of that proof.
 */
export const joinRequest = z.strictObject({
  token: id,
  name: alias,
  signingKey: shortBase64,
  sealingKey: shortBase64,
  proof: shortBase64,
  signature: shortBase64,
});
export type JoinRequest = z.infer<typeof joinRequest>;

/** What it gets: who it is and the signed root, which it compares with its token's fingerprint. */
export const joinAnswer = z.strictObject({
  node: id,
  zone: id,
  state: z.enum(['pending', 'active']),
  root: z.string(),
});
export type JoinAnswer = z.infer<typeof joinAnswer>;

/** What a node says of itself after each apply and at intervals. */
export const nodeStatus = z.strictObject({
  sequence: z.int().min(1),
  appliedVersion: z.int().min(0),
  serving: z.enum(servingStates),
  items: z.array(itemReport).max(10_000),
  sessions: sessionReport.optional(),
});
export type NodeStatus = z.infer<typeof nodeStatus>;

/** Answer to a poll: signed documents as text, left out where the node has them already. */
export const pollAnswer = z.strictObject({
  root: z.string().optional(),
  manifest: z.string().optional(),
  timestamp: z.string(),
  denyList: z.string().optional(),
});
export type PollAnswer = z.infer<typeof pollAnswer>;
