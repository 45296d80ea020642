import { z } from 'zod';
import { id, line, reportedText, time } from './scalars.ts';

/**
 * What a node saw: connections with the algorithms that were offered and agreed on, logins, transfers from their start
 * to their end, which host keys a client has had proved, and whom it has locked out.
 * `detail` holds the exact reason and never a secret.
 */
export const event = z.strictObject({
  id: reportedText.min(1).max(64),
  at: time,
  kind: z.enum([
    'connection',
    'login',
    'logout',
    'transfer',
    'host-key',
    'listener',
    'snapshot',
    'credential-exposed',
    'lockout',
  ]),
  server: id.optional(),
  account: reportedText.max(80).optional(),
  source: reportedText.max(64).optional(),
  outcome: z.enum(['permitted', 'refused', 'ended', 'started', 'completed', 'cut', 'failed']),
  reason: reportedText.max(120).optional(),
  detail: z.record(line.max(64), z.union([reportedText.max(4_096), z.number()])).optional(),
});
export type Event = z.infer<typeof event>;

export const eventBatch = z.strictObject({
  sequence: z.int().min(1),
  events: z.array(event).max(1_000),
});
export type EventBatch = z.infer<typeof eventBatch>;

/** An event with its place in the control plane's log. */
export const storedEvent = event.extend({ node: id, zone: id });
export type StoredEvent = z.infer<typeof storedEvent>;

/** One row of the tamper-evident log of changes. */
export const auditRow = z.strictObject({
  sequence: z.int(),
  at: time,
  /** `token:<id>`, `node:<id>`, `init` or `timer`. */
  actor: z.string(),
  action: z.string(),
  target: z.string(),
  detail: z.record(z.string(), z.unknown()),
  previousHash: z.string(),
  hash: z.string(),
});
export type AuditRow = z.infer<typeof auditRow>;
