import { and, asc, eq, gt, inArray, isNull, or } from 'drizzle-orm';
import type { CertificateRow } from './certificates.ts';
import type { Queries } from './database.ts';
import type { Page } from './page.ts';
import { certificates } from './tables/index.ts';

/** Internal CAs in whatever state; trust is everybody's to read. */
export const listCertificateAuthorities = (
  queries: Queries,
  page: Pick<Page, 'after' | 'limit'>,
): Promise<CertificateRow[]> =>
  queries
    .select()
    .from(certificates)
    .where(and(eq(certificates.kind, 'internal-ca'), gt(certificates.id, page.after)))
    .orderBy(asc(certificates.id))
    .limit(page.limit)
    .all();

/** The internal CA that signs. */
export const activeCertificateAuthority = (queries: Queries): Promise<CertificateRow | undefined> =>
  queries
    .select()
    .from(certificates)
    .where(
      and(
        eq(certificates.kind, 'internal-ca'),
        eq(certificates.caState, 'active'),
        isNull(certificates.revokedAt),
      ),
    )
    .get();

/**
 * X.509 certificates of servers and logins that could rest on a CA, going by its name: whether they do, their
 * signatures tell. Those that have ended or are revoked rest on nothing.
 *
 * @param at RFC 3339 with milliseconds
 */
export const certificatesNaming = (
  queries: Queries,
  ca: Pick<CertificateRow, 'subject' | 'subjectHash'>,
  at: string,
): Promise<CertificateRow[]> =>
  queries
    .select()
    .from(certificates)
    .where(
      and(
        inArray(certificates.kind, ['local', 'login']),
        eq(certificates.form, 'x509'),
        or(eq(certificates.topIssuer, ca.subjectHash), eq(certificates.issuer, ca.subject)),
        isNull(certificates.revokedAt),
        gt(certificates.notAfter, at),
      ),
    )
    .orderBy(asc(certificates.alias), asc(certificates.id))
    .all();
