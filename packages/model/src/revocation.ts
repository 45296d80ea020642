import { z } from 'zod';
import { revocationReasons } from './certificate.ts';
import { alias, id, sha256, text, time } from './scalars.ts';

/** What is to be revoked, by what the operator has at hand. A revocation holds for the key, in whatever certificate. */
const revocationTarget = z.discriminatedUnion('by', [
  z.strictObject({ by: z.literal('id'), id }),
  /** SHA-256 of the certificate. One that is not registered is revoked all the same. */
  z.strictObject({ by: z.literal('certificate'), sha256 }),
  /** SHA-256 of the SubjectPublicKeyInfo, or the OpenSSH fingerprint of a key that is registered. */
  z.strictObject({
    by: z.literal('key'),
    fingerprint: z.union([
      sha256,
      z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/, 'SHA-256 in hexadecimal, or SHA256:…'),
    ]),
  }),
  /** The certificate or public key itself (PEM, an authorized_keys line), registered or not. */
  z.strictObject({ by: z.literal('file'), text: text.min(1).max(65_536) }),
]);
export type RevocationTarget = z.infer<typeof revocationTarget>;

/** Revokes all of it or nothing. */
export const revocationRequest = z.strictObject({
  targets: z.array(revocationTarget).min(1).max(100),
  reason: z.enum(revocationReasons).default('unspecified'),
});
export type RevocationRequest = z.infer<typeof revocationRequest>;

/** What was revoked and never comes back. It outlives its certificate. */
export const revocation = z.strictObject({
  /** SHA-256 of the certificate; of the key where no certificate was known. */
  sha256,
  /** SHA-256 of the key's SubjectPublicKeyInfo; of the certificate where its key was not known. */
  spkiSha256: sha256,
  at: time,
  reason: z.enum(revocationReasons),
  /** Serial number that the list of its issuer names, in hexadecimal. */
  serial: z.string().optional(),
  /** Where it holds, where that is not everywhere: the zones of the token that revoked it. */
  zones: z.array(id).optional(),
});
export type Revocation = z.infer<typeof revocation>;

/** A certificate that a revocation has reached. */
export const revokedCertificate = z.strictObject({ id, alias });
