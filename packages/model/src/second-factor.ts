import { z } from 'zod';
import { base64, time } from './scalars.ts';

export const totpAlgorithms = ['SHA1', 'SHA256'] as const;
export type TotpAlgorithm = (typeof totpAlgorithms)[number];

/** How codes are made of a secret (RFC 6238); the defaults are what every authenticator app does. */
const totpParameters = {
  algorithm: z.enum(totpAlgorithms),
  digits: z.union([z.literal(6), z.literal(8)]),
  periodSeconds: z.union([z.literal(30), z.literal(60)]),
};

/** Base32 (RFC 4648 section 6) as people copy it: any case, spaces, with or without padding. */
const writtenBase32 = z
  .string()
  .max(256)
  .regex(/^[A-Za-z2-7 ]+=*$/, 'base32')
  .transform((text) => text.replace(/[ =]/g, '').toUpperCase())
  // RFC 4226 section 4, R6: at least 128 bits.
  .refine(({ length }) => length >= 26 && length <= 103, 'a secret of 16 to 64 bytes');

/** `secret` is imported where it is there, and generated where it is not. */
export const secondFactorCreate = z.strictObject({
  secret: writtenBase32.optional(),
  algorithm: totpParameters.algorithm.default('SHA1'),
  digits: totpParameters.digits.default(6),
  periodSeconds: totpParameters.periodSeconds.default(30),
});
export type SecondFactorCreate = z.infer<typeof secondFactorCreate>;

/** An account's second factor, without its secret. */
export const secondFactor = z.strictObject({ ...totpParameters, createdAt: time });
export type SecondFactor = z.infer<typeof secondFactor>;

/** What a node needs to verify codes. */
export const totp = z.strictObject({ ...totpParameters, secret: base64.max(100) });
export type Totp = z.infer<typeof totp>;
