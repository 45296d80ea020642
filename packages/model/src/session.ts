import { z } from 'zod';
import { id, line, reportedText, time } from './scalars.ts';
import { serverProtocols } from './server.ts';

/** A session while it lasts, as the node that serves it tells of it. */
export const liveSession = z.strictObject({
  id: z.uuid(),
  server: id,
  protocol: z.enum(serverProtocols),
  /** Login name. */
  account: reportedText.max(80),
  source: reportedText.max(64),
  since: time,
  /** Kinds of proof that admitted it: never a secret. */
  proofs: z.array(line.max(32)).max(4),
  /** Fingerprint of the SSH key that was proved. */
  credential: reportedText.max(128).optional(),
  /** Certificate of the inventory that was proved over TLS. */
  certificate: id.optional(),
  /** Its server's rules have become stricter since; it ends with the server's `drainBy`. */
  outdated: z.boolean(),
});
export type LiveSession = z.infer<typeof liveSession>;

/** Sessions that a node tells of: of more than these it tells the oldest and how many there are. */
export const maxReportedSessions = 5_000;

export const sessionReport = z.strictObject({
  total: z.int().min(0),
  items: z.array(liveSession).max(maxReportedSessions),
});
export type SessionReport = z.infer<typeof sessionReport>;

/** A live session with the node that serves it. */
export const session = liveSession.extend({
  node: id,
  zone: id,
  /** An operator has had it ended; the node has not said yet that it is. */
  ending: z.boolean(),
  /** When the node last said that it lives. */
  seenAt: time,
});
export type Session = z.infer<typeof session>;
