import type { ParsedCertificate } from './certificate.ts';
import { couldIssue } from './path.ts';
import { verifySignature } from './signature.ts';

/**
 * Did this CA sign that certificate? Names and key identifiers alone do not tell: two CAs may share both (reference R15).
 *
 * @returns false too where the signature is of an algorithm that proves nothing
 */
export async function issuedBy(certificate: ParsedCertificate, ca: ParsedCertificate): Promise<boolean> {
  const { signatureAlgorithm, tbs, signature } = certificate;
  if (!couldIssue(ca, certificate) || signatureAlgorithm.kind === 'unsupported') return false;
  return verifySignature(signatureAlgorithm, ca.spki, tbs, signature);
}
