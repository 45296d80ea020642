import type { CertificateRow } from '@sallyport/store';

/** The columns that only some certificates have, as those without them have them. */
export const nothingFurther = {
  validUntil: null,
  privateKey: null,
  comment: null,
  sources: null,
  usage: null,
  caState: null,
  trustedUntil: null,
  revocation: null,
  onStaleCrl: null,
  crlUrl: null,
  sharedKeyWaiver: null,
  revokedAt: null,
} as const satisfies Partial<CertificateRow>;
