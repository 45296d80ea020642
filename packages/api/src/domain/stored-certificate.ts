import { type Bytes, fromBase64 } from '@sallyport/bytes';
import { unwrap } from '@sallyport/faults';
import { type ParsedCertificate, parseCertificate, sshBlobOf } from '@sallyport/pki';
import type { CertificateRow } from '@sallyport/store';

/** Bits that a stored RSA key has at least: whether a zone takes so few was asked when it came in. */
export const leastStoredRsaBits = 1_024;

/** Purpose under which a certificate's private key is encrypted at rest. */
export const privateKeyPurpose = (certificate: string): string => `certificate:${certificate}`;

/** DER of the certificate itself, without its chain. */
export const leafOf = (row: Pick<CertificateRow, 'chain'>): Bytes => fromBase64(row.chain[0] ?? '');

/** The certificate itself, read. */
export const storedLeaf = (row: Pick<CertificateRow, 'chain'>): ParsedCertificate =>
  unwrap(parseCertificate(leafOf(row), leastStoredRsaBits));

/** SSH key blob of the certificate's key. */
export const storedSshBlob = (row: Pick<CertificateRow, 'chain'>): Bytes =>
  unwrap(sshBlobOf(storedLeaf(row).spki, leastStoredRsaBits));
