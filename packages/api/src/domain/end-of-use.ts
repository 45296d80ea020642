import type { ParsedCertificate } from '@sallyport/pki';
import type { CertificateRow } from '@sallyport/store';

/**
 * When a login certificate stops being a credential: an X.509 certificate with its own dates, or earlier where the
 * operator says so, on SSH too. The dates of an SSH key's wrapper mean nothing (design section 3).
 *
 * @returns RFC 3339; nothing where it never ends
 */
export function endOfUse(
  { form, validUntil }: Pick<CertificateRow, 'form' | 'validUntil'>,
  { notAfter }: Pick<ParsedCertificate, 'notAfter'>,
): string | undefined {
  if (form === 'ssh-key') return validUntil ?? undefined;
  const earlier = validUntil !== null && Date.parse(validUntil) < notAfter.getTime();
  return earlier ? validUntil : notAfter.toISOString();
}
