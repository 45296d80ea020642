import { z } from 'zod';
import { id } from './scalars.ts';

/** Whether a class must use TLS; the first enabled entry that matches decides (reference E1-E4). */
export const sslEntry = z.strictObject({
  id,
  /** A class, or `*` for all. */
  userClass: z.union([z.literal('*'), id]),
  encryption: z.enum(['required', 'optional']),
  enabled: z.boolean(),
});
export type SslEntry = z.infer<typeof sslEntry>;

/** An entry as it is written: without an id it is a new one. */
export const sslEntryWrite = z.strictObject({
  id: sslEntry.shape.id.optional(),
  userClass: sslEntry.shape.userClass,
  encryption: sslEntry.shape.encryption,
  enabled: sslEntry.shape.enabled.default(true),
});

/** The entry that `init` makes. */
export const encryptionRequiredForAll: SslEntry = {
  id: 'all',
  userClass: '*',
  encryption: 'required',
  enabled: true,
};
