import { fromBase64Url, fromUtf8, toBase64Url, utf8 } from '@sallyport/bytes';
import { ok, type Result, refuse } from '@sallyport/faults';
import { alias, id, sha256 } from '@sallyport/model';
import { z } from 'zod';

/** What a join token carries to the machine that joins (design section 5). */
export const joinTicket = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).max(2_048),
  /** Fingerprint of the root metadata that the node pins. */
  root: sha256,
  zone: id,
  token: id,
  secret: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  nodeName: alias.optional(),
});
export type JoinTicket = z.infer<typeof joinTicket>;

const prefix = 'slyjoin_';

/** The ticket as one word to paste. It holds a secret. */
export const formatJoinToken = (ticket: JoinTicket): string =>
  `${prefix}${toBase64Url(utf8(JSON.stringify(ticket)))}`;

/** Reads a pasted token; `join-token-invalid` where it is none. */
export function parseJoinToken(text: string): Result<JoinTicket> {
  const trimmed = text.trim();
  if (!trimmed.startsWith(prefix) || trimmed.length > 8_192)
    return refuse('join-token-invalid', 'not a join token');
  try {
    const parsed = joinTicket.safeParse(JSON.parse(fromUtf8(fromBase64Url(trimmed.slice(prefix.length)))));
    return parsed.success ? ok(parsed.data) : refuse('join-token-invalid', 'the join token is damaged');
  } catch {
    return refuse('join-token-invalid', 'the join token is damaged');
  }
}
