import { type Bytes, fromBase64 } from '@sallyport/bytes';
import { FaultError, unwrap } from '@sallyport/faults';
import { type Issuer, issueCertificate, parseCertificate } from '@sallyport/pki';
import { certificatesOfKinds, findInstallation, type Queries } from '@sallyport/store';
import type { Dependencies } from '../dependencies.ts';
import { leafOf, privateKeyPurpose } from './stored-certificate.ts';

/** Purpose under which the wrapping issuer's key is encrypted at rest. */
export const wrappingIssuerPurpose = 'wrapping-issuer';

const dayMs = 86_400_000;
/** A fresh certificate is valid from a little before now, for peers whose clock is behind. */
const backdateMs = 5 * 60_000;
/** RFC 5280 section 4.1.2.5: no well-defined end. An SSH key's end is its `validUntil`. */
const noEnd = new Date('9999-12-31T23:59:59Z');

/** The internal CA that signs now. */
export type InternalCa = Issuer & { readonly id: string; readonly alias: string };

/** Reads the active internal CA with its key; throws FaultError `certificate-purpose` where there is none. */
export async function internalCa(deps: Dependencies, queries: Queries): Promise<InternalCa> {
  const row = (await certificatesOfKinds(queries, ['internal-ca'])).find(
    ({ revokedAt, caState, privateKey }) => revokedAt === null && caState === 'active' && privateKey !== null,
  );
  if (!row?.privateKey) {
    throw new FaultError({ code: 'certificate-purpose', detail: 'there is no internal CA that can sign' });
  }
  return {
    id: row.id,
    alias: row.alias,
    certificate: leafOf(row),
    privateKey: await deps.keys.unwrap(privateKeyPurpose(row.id), row.privateKey),
  };
}

/** Reads the wrapping issuer of SSH keys (design section 3). */
export async function wrappingIssuer(deps: Dependencies, queries: Queries): Promise<Issuer> {
  const found = await findInstallation(queries);
  if (!found?.wrappingIssuer || !found.wrappingIssuerKey) {
    throw new FaultError({
      code: 'internal',
      detail: 'there is no wrapping issuer; sallyport init makes it',
    });
  }
  return {
    certificate: fromBase64(found.wrappingIssuer),
    privateKey: await deps.keys.unwrap(wrappingIssuerPurpose, found.wrappingIssuerKey),
  };
}

/**
 * Puts an SSH key into its X.509 wrapper.
 *
 * @param key `spki` in DER; `role`: whose key it is
 * @returns DER
 */
export const wrapSshKey = (
  issuer: Issuer,
  key: { readonly spki: Bytes; readonly role: 'ssh-client' | 'ssh-server'; readonly name: string },
  now: number,
): Promise<Bytes> =>
  issueCertificate({
    issuer,
    spki: key.spki,
    subject: { commonName: key.name.slice(0, 64) },
    sans: [],
    purpose: key.role,
    notBefore: new Date(now - backdateMs),
    notAfter: noEnd,
    leastRsaBits: 1_024,
  });

/**
 * Validity of a new certificate. It never outlives its CA: one that no path leads to helps nobody.
 *
 * @param ca absent for a self-signed one
 */
export function validity(
  now: number,
  days: number,
  ca?: Issuer,
): { readonly notBefore: Date; readonly notAfter: Date } {
  const end = now + days * dayMs;
  const caEnd = ca ? unwrap(parseCertificate(ca.certificate)).notAfter.getTime() : end;
  return { notBefore: new Date(now - backdateMs), notAfter: new Date(Math.min(end, caEnd)) };
}
