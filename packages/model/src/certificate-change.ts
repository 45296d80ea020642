import { z } from 'zod';
import { certificateMatch } from './account.ts';
import {
  certificateKinds,
  certificateStatuses,
  keyTypes,
  revocationModes,
  staleCrlBehaviours,
  subjectAltName,
} from './certificate.ts';
import { handOut, keyFile, sharedKeyWaiver } from './certificate-create.ts';
import { alias, id, label, line, time } from './scalars.ts';
import { generatedKeyTypes, subjectName } from './subject-name.ts';

/** Where a revocation list is fetched from: no credentials, no fragment. */
const crlUrl = z
  .string()
  .max(2_048)
  .refine(
    (url) => /^https?:\/\/[!-\u0022$-?A-~]+$/.test(url) && URL.canParse(url),
    'http or https, in ASCII, without credentials and fragment',
  );

/** What may change of a certificate without another one taking its place. `null` takes a value away. */
export const certificatePatch = z
  .strictObject({
    alias,
    zones: z.array(id).min(1).max(100),
    comment: label.nullable(),
    validUntil: time.nullable(),
    match: certificateMatch,
    revocation: z.enum(revocationModes),
    onStaleCrl: z.enum(staleCrlBehaviours),
    crlUrl: crlUrl.nullable(),
    sharedKeyWaiver: sharedKeyWaiver.nullable(),
  })
  .partial();
export type CertificatePatch = z.infer<typeof certificatePatch>;

/** What takes a certificate's place behind its alias. */
export const certificateReplace = z.discriminatedUnion('source', [
  /** Another key, made here. What is left out stays as it was. */
  z.strictObject({
    source: z.literal('new-key'),
    keyType: z.enum(generatedKeyTypes).optional(),
    subject: subjectName.optional(),
    sans: z.array(subjectAltName).max(100).optional(),
    validDays: z.int().min(1).max(3_650).optional(),
    /** Needed where the key is not kept here. */
    handOut: handOut.optional(),
  }),
  /** The same key in a certificate of a new validity: for peers that know the key. */
  z.strictObject({
    source: z.literal('same-key'),
    sans: z.array(subjectAltName).max(100).optional(),
    validDays: z.int().min(1).max(3_650).optional(),
  }),
  z.strictObject({ source: z.literal('import'), ...keyFile, sharedKeyWaiver: sharedKeyWaiver.optional() }),
]);
export type CertificateReplace = z.infer<typeof certificateReplace>;

/** A span of whole days or hours: `30d`, `12h`. */
export const timeSpan = z
  .string()
  .regex(/^[1-9]\d{0,4}[dh]$/, 'a number of days or hours: 30d, 12h')
  .transform((text) => Number.parseInt(text, 10) * (text.endsWith('d') ? 86_400_000 : 3_600_000));

/** Renews what is issued here, many at once: those named, or all that end soon. */
export const certificateRenew = z
  .strictObject({
    ids: z.array(id).min(1).max(500),
    expiresWithin: timeSpan,
    /** `same` (default) keeps the keys; `new` is for servers' keys, which live here. */
    key: z.enum(['same', 'new']),
    validDays: z.int().min(1).max(825),
  })
  .partial();
export type CertificateRenew = z.infer<typeof certificateRenew>;

/** What a list of certificates may be asked for; each further filter narrows it. */
export const certificateFilters = {
  kind: z.enum(certificateKinds).optional(),
  account: id.optional(),
  alias: alias.optional(),
  /** Part of the subject, in any case. */
  subject: line.min(1).max(200).optional(),
  /** SHA-256 of the certificate in hexadecimal (colons or not), or of the key as `SHA256:…`. */
  fingerprint: z
    .string()
    .regex(
      /^(?:[0-9A-Fa-f]{64}|(?:[0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2}|SHA256:[A-Za-z0-9+/]{43})$/,
      '64 hexadecimal digits or SHA256:…',
    )
    .optional(),
  /** Ends from now on, but not after that span. */
  expiresWithin: timeSpan.optional(),
  status: z.enum(certificateStatuses).optional(),
  keyType: z.enum(keyTypes).optional(),
};
