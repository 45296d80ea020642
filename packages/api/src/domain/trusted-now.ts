import type { CertificateRow } from '@sallyport/store';

/** Is the CA one whose TLS certificates are trusted at a moment? */
export const isTrustedCa = (
  row: Pick<CertificateRow, 'kind' | 'usage' | 'revokedAt' | 'caState' | 'trustedUntil'>,
  now: number,
): boolean =>
  row.revokedAt === null &&
  row.usage !== 'ssh-ca' &&
  (row.kind === 'trusted' ||
    (row.kind === 'internal-ca' && (row.trustedUntil === null || Date.parse(row.trustedUntil) > now)));
