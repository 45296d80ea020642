import { fromBase64, toHex } from '@sallyport/bytes';
import type { Certificate, CertificateStatus, certificate } from '@sallyport/model';
import { parseCertificate, toPem } from '@sallyport/pki';
import {
  type CertificateRow,
  certificatesOfKinds,
  type Queries,
  serversByCertificate,
} from '@sallyport/store';
import type { z } from 'zod';
import { leafOf } from './zone-content.ts';

/** What status and uses are computed from, read once for a whole list. */
export type CertificateSurroundings = {
  /** Names and key ids of the CAs that are trusted now. */
  readonly cas: readonly { readonly subject: string; readonly keyId: string | undefined }[];
  /** Names of the servers that use a certificate, by its id. */
  readonly servers: ReadonlyMap<string, readonly string[]>;
  readonly now: number;
};

export async function readSurroundings(queries: Queries, now: number): Promise<CertificateSurroundings> {
  const cas = (await certificatesOfKinds(queries, ['trusted', 'internal-ca']))
    .filter((row) => row.revokedAt === null)
    .flatMap((row) => {
      const parsed = parseCertificate(leafOf(row));
      if (!parsed.ok) return [];
      const { subjectDer, subjectKeyId } = parsed.value;
      return [{ subject: toHex(subjectDer), keyId: subjectKeyId }];
    });
  return { cas, servers: await serversByCertificate(queries), now };
}

/** What uses the certificate: servers, or the account it logs in. */
export const usesOf = (row: CertificateRow, { servers }: CertificateSurroundings): string[] => [
  ...(servers.get(row.id) ?? []).map((name) => `server:${name}`),
  ...(row.account === null ? [] : [`account:${row.account}`]),
];

/**
 * Status of design section 3. `untrusted`: an X.509 certificate whose chain does not end in a CA that is trusted here,
 * judged by names and key ids; whether a client's certificate is accepted, `verifyClient` judges by signatures.
 */
export function statusOf(row: CertificateRow, { cas, now }: CertificateSurroundings): CertificateStatus {
  if (row.revokedAt !== null) return 'revoked';
  if (row.form === 'ssh-key') {
    return row.validUntil !== null && Date.parse(row.validUntil) <= now ? 'expired' : 'valid';
  }
  if (now < Date.parse(row.notBefore)) return 'not-yet-valid';
  if (now > Date.parse(row.notAfter)) return 'expired';
  if (row.kind === 'trusted' || row.kind === 'internal-ca' || row.anchor === 'pinned') return 'valid';
  const last = parseCertificate(fromBase64(row.chain.at(-1) ?? ''));
  if (!last.ok) return 'untrusted';
  const issuer = toHex(last.value.issuerDer);
  const keyId = last.value.authorityKeyId;
  const anchored = cas.some(
    (ca) => ca.subject === issuer && (keyId === undefined || ca.keyId === undefined || ca.keyId === keyId),
  );
  return anchored ? 'valid' : 'untrusted';
}

/** The certificate as the API answers it: never its private key. */
export function certificateView(row: CertificateRow, around: CertificateSurroundings): Certificate {
  return {
    id: row.id,
    alias: row.alias,
    kind: row.kind,
    form: row.form,
    zones: row.zones,
    ...(row.account === null ? {} : { account: row.account }),
    ...(row.match === null ? {} : { match: row.match }),
    ...(row.anchor === null ? {} : { anchor: row.anchor }),
    subject: row.subject,
    issuer: row.issuer,
    serial: row.serial,
    sans: row.sans,
    notBefore: row.notBefore,
    notAfter: row.notAfter,
    ...(row.validUntil === null ? {} : { validUntil: row.validUntil }),
    key: row.key,
    sha256: row.sha256,
    hasPrivateKey: row.privateKey !== null,
    ...(row.comment === null ? {} : { comment: row.comment }),
    status: statusOf(row, around),
    usedBy: usesOf(row, around),
    ...(row.revokedAt === null ? {} : { revokedAt: row.revokedAt }),
    pem: row.chain.map((der) => toPem('CERTIFICATE', fromBase64(der))).join(''),
    version: row.version,
    createdAt: row.createdAt,
  } satisfies z.input<typeof certificate>;
}
