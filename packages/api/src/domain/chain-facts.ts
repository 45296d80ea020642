import { fromBase64, sha256Hex } from '@sallyport/bytes';
import { unwrap } from '@sallyport/faults';
import { type ParsedCertificate, parseCertificate } from '@sallyport/pki';
import type { CertificateRow } from '@sallyport/store';
import { leastStoredRsaBits, storedLeaf } from './stored-certificate.ts';

/** The columns that repeat what a certificate's chain says, so that lists can search by it. */
export type ChainFacts = Pick<
  CertificateRow,
  'chain' | 'keyType' | 'sshFingerprint' | 'topIssuer' | 'topKeyId' | 'subjectHash' | 'subjectKeyId'
> &
  Pick<
    CertificateRow,
    'subject' | 'issuer' | 'serial' | 'sans' | 'notBefore' | 'notAfter' | 'key' | 'spkiSha256' | 'sha256'
  >;

/** How a row names a distinguished name: SHA-256 of its DER, hexadecimal. */
export const nameHash = (der: Uint8Array): string => sha256Hex(der);

/** @returns what a revocation list of its issuer is found by */
export const issuerHash = (row: Pick<CertificateRow, 'chain'>): string => nameHash(storedLeaf(row).issuerDer);

/**
 * @param chain DER of the certificate and its intermediates in base64, leaf first
 * @param leaf the first of them where it has been read already
 * @returns every column of a row that follows from them; throws FaultError `certificate-malformed`
 */
export function chainFacts(chain: string[], leaf: ParsedCertificate = storedLeaf({ chain })): ChainFacts {
  const top =
    chain.length > 1 ? unwrap(parseCertificate(fromBase64(chain.at(-1) ?? ''), leastStoredRsaBits)) : leaf;
  return {
    chain,
    subject: leaf.subject,
    issuer: leaf.issuer,
    serial: leaf.serial,
    sans: [...leaf.sans],
    notBefore: leaf.notBefore.toISOString(),
    notAfter: leaf.notAfter.toISOString(),
    key: leaf.key,
    keyType: leaf.key.type,
    sshFingerprint: leaf.key.sshFingerprint,
    spkiSha256: leaf.key.spkiSha256,
    sha256: leaf.sha256,
    topIssuer: nameHash(top.issuerDer),
    topKeyId: top.authorityKeyId ?? null,
    subjectHash: nameHash(leaf.subjectDer),
    subjectKeyId: leaf.subjectKeyId ?? null,
  };
}
