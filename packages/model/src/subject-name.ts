import { z } from 'zod';
import { line } from './scalars.ts';

/** Who or what a certificate is about; the bounds are X.520's (RFC 5280 appendix A). */
export const subjectName = z.strictObject({
  commonName: line.min(1).max(64),
  organization: line.min(1).max(64).optional(),
  organizationalUnit: line.min(1).max(64).optional(),
  locality: line.min(1).max(128).optional(),
  state: line.min(1).max(128).optional(),
  /** ISO 3166, two capital letters. */
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, 'two capital letters')
    .optional(),
});

/** The kinds of key that are made here. */
export const generatedKeyTypes = [
  'ed25519',
  'ecdsa-p256',
  'ecdsa-p384',
  'ecdsa-p521',
  'rsa-2048',
  'rsa-3072',
  'rsa-4096',
] as const;
