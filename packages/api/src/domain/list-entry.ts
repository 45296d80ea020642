import { issuedBy, type ParsedCertificate } from '@sallyport/pki';
import { type CertificateRow, certificatesOfKinds, type Queries, type RevocationRow } from '@sallyport/store';
import { nameHash } from './chain-facts.ts';
import { storedLeaf } from './stored-certificate.ts';

/** What the list of its issuer names a certificate by; nothing where none of our CAs lists it. */
export type ListEntry = Pick<RevocationRow, 'issuerHash' | 'serial'>;

const unlisted: ListEntry = { issuerHash: null, serial: null };

/**
 * Reads our CAs, to say of certificates whether one of them lists them. A certificate counts as theirs by its signature:
 * anybody can write our CA's name and another certificate's serial number into one of his own, and have it revoked.
 *
 * @returns what a certificate is listed by
 */
export async function listEntries(
  queries: Queries,
): Promise<(certificate: ParsedCertificate) => Promise<ListEntry>> {
  const cas = (await certificatesOfKinds(queries, ['internal-ca'])).map((row) => storedLeaf(row));
  return async (certificate) => {
    for (const ca of cas) {
      if (!(await issuedBy(certificate, ca))) continue;
      return { issuerHash: nameHash(certificate.issuerDer), serial: certificate.serial };
    }
    return unlisted;
  };
}

/** The same of one certificate that is stored here; the wrapper of an SSH key is on no list. */
export async function listEntryOf(queries: Queries, row: CertificateRow): Promise<ListEntry> {
  return row.form === 'x509' ? (await listEntries(queries))(storedLeaf(row)) : unlisted;
}
