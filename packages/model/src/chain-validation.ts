import { z } from 'zod';
import { alias, id, sha256, text, time } from './scalars.ts';

/** A certificate, and what else is at hand of its chain; exactly one of `pem`, `data` and `id`. */
export const chainValidationRequest = z
  .strictObject({
    /** The certificate first, intermediates after it. */
    pem: text.min(1).max(262_144).optional(),
    /** A file of certificates in base64: DER, PEM or PKCS#7. */
    data: z.base64().min(4).max(349_528).optional(),
    /** A certificate that is stored here, with its chain. */
    id: id.optional(),
    /** Moment that the chain is judged at; now where it is left out. Revocation is judged as it is known now. */
    at: time.optional(),
    purpose: z.enum(['tls-client', 'tls-server']).default('tls-client'),
  })
  .refine(
    ({ pem, data, id: stored }) => [pem, data, stored].filter((given) => given !== undefined).length === 1,
    'give one of pem, data and id',
  );
export type ChainValidationRequest = z.infer<typeof chainValidationRequest>;

const chainRefusal = z.strictObject({ reason: z.string(), detail: z.string() });

/** Every way up from the certificate, with all that speaks against it. */
export const chainValidation = z.strictObject({
  verdict: z.enum(['accepted', 'refused']),
  subject: z.string(),
  issuer: z.string(),
  sha256,
  at: time,
  purpose: z.enum(['tls-client', 'tls-server']),
  paths: z.array(
    z.strictObject({
      verdict: z.enum(['accepted', 'refused']),
      /** Leaf first. */
      certificates: z.array(
        z.strictObject({
          subject: z.string(),
          serial: z.string(),
          sha256,
          role: z.enum(['leaf', 'intermediate', 'anchor']),
          /** Where it is stored here. */
          id: id.optional(),
          alias: alias.optional(),
        }),
      ),
      reasons: z.array(chainRefusal),
    }),
  ),
  /** False where there are more ways than are looked at. */
  complete: z.boolean(),
});
export type ChainValidation = z.infer<typeof chainValidation>;
