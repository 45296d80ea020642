import type { TLSSocket } from 'node:tls';
import { type Bytes, copyOf } from '@sallyport/bytes';

/** Longest chain that is looked at; a real one has two to four certificates. */
export const maxPresentedCertificates = 10;

/**
 * The client's certificates as DER, leaf first; empty where it presented none. Nothing here is verified.
 * Node follows issuers itself, may append a CA from the context's store, and closes a self-signed end in a loop.
 * A resumed session yields the leaf, at most with such a CA behind it.
 */
export function presentedChain(socket: TLSSocket): readonly Bytes[] {
  const chain: Bytes[] = [];
  const seen = new Set<string>();
  // An absent certificate is an empty object, and null after the socket has gone.
  let certificate: ReturnType<TLSSocket['getPeerCertificate']> | null = socket.getPeerCertificate(true);
  while (certificate?.raw && chain.length < maxPresentedCertificates) {
    if (seen.has(certificate.fingerprint256)) break;
    seen.add(certificate.fingerprint256);
    chain.push(copyOf(certificate.raw));
    certificate = 'issuerCertificate' in certificate ? (certificate.issuerCertificate as never) : null;
  }
  return chain;
}
