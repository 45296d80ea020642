import type { Certificate, CertificateStatus, certificate } from '@sallyport/model';
import { pemOfBase64 } from '@sallyport/pki';
import {
  type Anchors,
  type CertificateRow,
  certificateAuthorities,
  type Queries,
  type StatusCircumstances,
  serversByCertificate,
} from '@sallyport/store';
import type { z } from 'zod';
import { isTrustedCa } from './trusted-now.ts';

/** What status and uses are computed from, read once for a whole list. */
export type CertificateSurroundings = {
  /** CAs of TLS clients and servers that are trusted now. */
  readonly anchors: Anchors;
  /** Names of the servers that use a certificate, by its id. */
  readonly servers: ReadonlyMap<string, readonly string[]>;
  readonly now: number;
};

export async function readSurroundings(queries: Queries, now: number): Promise<CertificateSurroundings> {
  const anchors = (await certificateAuthorities(queries)).filter((row) => isTrustedCa(row, now));
  return { anchors, servers: await serversByCertificate(queries), now };
}

/** The same as the database compares it. */
export const statusCircumstances = ({ anchors, now }: CertificateSurroundings): StatusCircumstances => ({
  anchors,
  now: new Date(now).toISOString(),
});

/** What uses the certificate: servers, or the account that has it. */
export const usesOf = (row: CertificateRow, { servers }: CertificateSurroundings): string[] => [
  ...(servers.get(row.id) ?? []).map((name) => `server:${name}`),
  ...(row.account === null ? [] : [`account:${row.account}`]),
];

/**
 * Status of design section 3. `untrusted`: an X.509 certificate whose chain does not end below a CA that is trusted
 * here, judged by names and key ids; a self-signed one too, which nobody here vouches for, unless an account has it
 * pinned. Whether a client's certificate is accepted, `verifyClient` judges by signatures. A list filters by the same
 * rules in the database (`listCertificates`).
 */
export function statusOf(row: CertificateRow, { anchors, now }: CertificateSurroundings): CertificateStatus {
  if (row.revokedAt !== null) return 'revoked';
  const end = endOf(row);
  if (row.form === 'x509' && now < Date.parse(row.notBefore)) return 'not-yet-valid';
  if (end !== null && Date.parse(end) <= now) return 'expired';
  const isAuthority = row.kind === 'trusted' || row.kind === 'internal-ca';
  if (row.form === 'ssh-key' || isAuthority || row.anchor === 'pinned') return 'valid';
  const anchored = anchors.some(
    ({ subjectHash, subjectKeyId }) =>
      subjectHash === row.topIssuer &&
      (row.topKeyId === null || subjectKeyId === null || subjectKeyId === row.topKeyId),
  );
  return anchored ? 'valid' : 'untrusted';
}

/** When the certificate stops being of use, as the database has it in its index; null: never. */
export function endOf(row: Pick<CertificateRow, 'form' | 'validUntil' | 'notAfter'>): string | null {
  if (row.form === 'ssh-key') return row.validUntil;
  return row.validUntil !== null && row.validUntil < row.notAfter ? row.validUntil : row.notAfter;
}

const given = <K extends keyof CertificateRow>(row: CertificateRow, ...names: K[]) =>
  Object.fromEntries(names.flatMap((name) => (row[name] === null ? [] : [[name, row[name]]]))) as {
    [N in K]?: NonNullable<CertificateRow[N]>;
  };

/** The certificate as the API answers it: never its private key. */
export function certificateView(row: CertificateRow, around: CertificateSurroundings): Certificate {
  return {
    id: row.id,
    alias: row.alias,
    kind: row.kind,
    form: row.form,
    zones: row.zones,
    ...given(row, 'account', 'match', 'anchor', 'validUntil', 'comment', 'sources', 'usage', 'revokedAt'),
    ...given(row, 'caState', 'trustedUntil', 'revocation', 'onStaleCrl', 'crlUrl', 'sharedKeyWaiver'),
    subject: row.subject,
    issuer: row.issuer,
    serial: row.serial,
    sans: row.sans,
    notBefore: row.notBefore,
    notAfter: row.notAfter,
    key: row.key,
    sha256: row.sha256,
    hasPrivateKey: row.privateKey !== null,
    status: statusOf(row, around),
    usedBy: usesOf(row, around),
    pem: row.chain.map((base64) => pemOfBase64('CERTIFICATE', base64)).join(''),
    version: row.version,
    createdAt: row.createdAt,
  } satisfies z.input<typeof certificate>;
}
