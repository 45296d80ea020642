import { z } from 'zod';
import { publicKey, subjectAltName } from './certificate.ts';
import { alias, id, text, time } from './scalars.ts';
import { generatedKeyTypes, subjectName } from './subject-name.ts';

/** Kinds of certificate that a request can become. */
export const requestedKinds = ['local', 'private'] as const;

/** A key that waits for a certificate of somebody else's CA (PKCS#10); the key stays here. */
export const certificateRequest = z.strictObject({
  id,
  alias,
  kind: z.enum(requestedKinds),
  zones: z.array(id),
  account: id.optional(),
  /** Certificate that the finished one takes the place of. */
  replaces: id.optional(),
  subject: z.string(),
  sans: z.array(subjectAltName),
  key: publicKey,
  /** The request itself, to send to the CA. */
  pem: z.string(),
  version: z.int(),
  createdAt: time,
});
export type CertificateRequestView = z.infer<typeof certificateRequest>;

export const certificateRequestCreate = z.strictObject({
  kind: z.enum(requestedKinds),
  /** Needed unless it replaces a certificate, whose alias it has then. */
  alias: alias.optional(),
  /** `local`, unless it replaces one. */
  zones: z.array(id).min(1).max(100).optional(),
  /** `private`, unless it replaces one. */
  account: id.optional(),
  replaces: id.optional(),
  subject: subjectName,
  sans: z.array(subjectAltName).max(100).default([]),
  /** `same`: the key of the certificate that it replaces. */
  keyType: z.enum([...generatedKeyTypes, 'same']).default('ecdsa-p256'),
});
export type CertificateRequestCreate = z.infer<typeof certificateRequestCreate>;

/** What the CA sent back: exactly one of the two. */
export const certificateRequestFinish = z.union([
  z.strictObject({ pem: text.min(1).max(262_144) }),
  z.strictObject({ data: z.base64().min(4).max(349_528) }),
]);
export type CertificateRequestFinish = z.infer<typeof certificateRequestFinish>;
