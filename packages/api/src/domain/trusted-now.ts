import type { CertificateRow } from '@sallyport/store';

type Authority = Pick<CertificateRow, 'kind' | 'usage' | 'revokedAt' | 'trustedUntil'>;

/** Is it a CA that vouches at that moment: not revoked, and not past its end where it was retired? */
const vouches = ({ kind, revokedAt, trustedUntil }: Authority, now: number): boolean =>
  (kind === 'trusted' || kind === 'internal-ca') &&
  revokedAt === null &&
  (trustedUntil === null || Date.parse(trustedUntil) > now);

/** Is the CA one whose TLS certificates are trusted at a moment? An internal one signs for both protocols. */
export const isTrustedCa = (row: Authority, now: number): boolean =>
  vouches(row, now) && row.usage !== 'ssh-ca';

/** Is the CA one whose OpenSSH certificates are trusted at a moment? */
export const isTrustedSshCa = (row: Authority, now: number): boolean =>
  vouches(row, now) && (row.kind === 'internal-ca' || row.usage === 'ssh-ca');
