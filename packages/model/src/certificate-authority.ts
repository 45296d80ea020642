import { z } from 'zod';
import { certificateMatch } from './account.ts';
import { internalCaStates, publicKey, subjectAltName } from './certificate.ts';
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

/** What an internal CA is to sign for the holder of a request (PKCS#10), and who that is. */
export const certificateSign = z.strictObject({
  /** PEM, or base64 of DER. */
  csr: text.min(1).max(98_304),
  alias,
  purpose: z.enum(['tls-client', 'tls-server']).default('tls-client'),
  /** Account of the holder: `tls-client` logs it in. Without one, `zones` says whose it is. */
  account: id.optional(),
  zones: z.array(id).min(1).max(100).optional(),
  match: certificateMatch.optional(),
  /** Default: the alias as common name. `requested` takes what the request says. */
  subject: z.union([z.literal('requested'), subjectName]).optional(),
  /** Names; `requested` takes those of the request. */
  sans: z.union([z.literal('requested'), z.array(subjectAltName).max(100)]).default([]),
  validDays: z.int().min(1).max(825).default(397),
});
export type CertificateSign = z.infer<typeof certificateSign>;
