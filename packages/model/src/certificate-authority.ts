import { z } from 'zod';
import { internalCaStates, publicKey } from './certificate.ts';
import { alias, id, sha256, text, time } from './scalars.ts';
import { generatedKeyTypes, subjectName } from './subject-name.ts';

/** An internal CA as it stands in its roll-over: `prepared`, then `active`, then `retired` (reference R9-R12). */
export const certificateAuthority = z.strictObject({
  /** It is a certificate of kind `internal-ca` too, with the same id. */
  id,
  alias,
  state: z.enum(internalCaStates),
  /** Nothing below it is accepted from then on. */
  trustedUntil: time.optional(),
  /** Whether what it signed is accepted now. */
  trusted: z.boolean(),
  subject: z.string(),
  issuer: z.string(),
  serial: z.string(),
  notBefore: time,
  notAfter: time,
  key: publicKey,
  sha256,
  revokedAt: time.optional(),
  pem: z.string(),
  version: z.int(),
  createdAt: time,
});
export type CertificateAuthority = z.infer<typeof certificateAuthority>;

/** How an internal CA comes to be; it is `prepared` then: trusted, and it signs nothing yet. */
export const certificateAuthorityCreate = z.discriminatedUnion('source', [
  z.strictObject({
    source: z.literal('generate'),
    alias,
    subject: subjectName,
    keyType: z.enum(generatedKeyTypes).default('ecdsa-p256'),
    validDays: z.int().min(1).max(9_125).default(3_650),
  }),
  z.strictObject({
    source: z.literal('import'),
    alias,
    /** PKCS#12, or PEM of certificate and key, in base64. */
    data: z.base64().min(4).max(1_398_104),
    password: text.max(1_024).optional(),
    choice: text.max(200).optional(),
  }),
]);
export type CertificateAuthorityCreate = z.infer<typeof certificateAuthorityCreate>;
