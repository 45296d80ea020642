import { toHex } from '@sallyport/bytes';
import { type ParsedCertificate, parseCertificate } from './certificate.ts';

/** The CAs of a zone, read once and found by their names. */
export type TrustAnchors = {
  /** CAs of exactly this name; several may share one. */
  named(subjectDer: Uint8Array): readonly ParsedCertificate[];
};

/**
 * Reads the CAs that client certificates are judged by. One that does not parse is left out: it can vouch for nobody.
 *
 * @param cas DER certificates
 */
export function trustAnchors(cas: readonly Uint8Array[]): TrustAnchors {
  const bySubject = new Map<string, ParsedCertificate[]>();
  for (const der of cas) {
    const ca = parseCertificate(der);
    if (!ca.ok) continue;
    const name = toHex(ca.value.subjectDer);
    const sameName = bySubject.get(name) ?? [];
    if (sameName.some((other) => other.sha256 === ca.value.sha256)) continue;
    bySubject.set(name, [...sameName, ca.value]);
  }
  return { named: (subjectDer) => bySubject.get(toHex(subjectDer)) ?? [] };
}
