import { z } from 'zod';
import { revocationModes, staleCrlBehaviours } from './certificate.ts';
import { id, sha256, time } from './scalars.ts';

/** How a list came here: given by an operator, fetched from the CA's URL, or made here for a CA of ours. */
export const crlSources = ['uploaded', 'fetched', 'issued'] as const;

/** A file of a revocation list in JSON, for clients that send nothing else. */
export const crlUpload = z.strictObject({
  /** PEM or DER in base64; at most 8 MiB of it. */
  data: z.base64().min(4).max(11_184_812),
});
export type CrlUpload = z.infer<typeof crlUpload>;

/** What is known of a CA's revocation list. */
export const crlState = z.strictObject({
  /** Id of the CA. */
  ca: id,
  revocation: z.enum(revocationModes),
  onStaleCrl: z.enum(staleCrlBehaviours),
  crlUrl: z.string().optional(),
  /** The newest good one; absent: there never was one. */
  list: z
    .strictObject({
      source: z.enum(crlSources),
      /** CRL number in decimal. */
      number: z.string(),
      thisUpdate: time,
      nextUpdate: time.optional(),
      entries: z.int(),
      /** SHA-256 of the DER. */
      sha256,
      storedAt: time,
      /** Is it past its `nextUpdate`? */
      stale: z.boolean(),
    })
    .optional(),
  /** How the last attempt to fetch it ended, and when the next one is. */
  fetch: z.strictObject({ triedAt: time, nextAt: time, failure: z.string().optional() }).optional(),
  /** Version of the CA's certificate, for changes of its settings. */
  version: z.int(),
});
export type CrlState = z.infer<typeof crlState>;
