import type { Bytes } from '@sallyport/bytes';
import type { ParsedCertificate } from '../certificate.ts';
import { sameBytes } from '../der.ts';
import { couldIssue } from '../path.ts';
import { verifySignature } from '../signature.ts';

/** A chain, leaf first, and what else was there, in its order. */
export type OrderedCertificates = {
  readonly chain: readonly ParsedCertificate[];
  readonly extra: readonly ParsedCertificate[];
};

const longestChain = 10;
/** Signatures that one import may make us check. */
const mostSignatures = 100;

/**
 * Puts certificates in order. The leaf is that of the key, where there is one; else the only one that issued none of
 * the others; else the first.
 *
 * @param certificates at least one, each once
 * @param spki DER SubjectPublicKeyInfo of a private key
 * @returns nothing where no certificate belongs to that key
 */
export async function orderChain(
  certificates: readonly ParsedCertificate[],
  spki?: Bytes,
): Promise<OrderedCertificates | undefined> {
  const [first] = certificates;
  if (!first) return undefined;
  const ofKey = spki && certificates.filter((certificate) => sameBytes(certificate.spki, spki));
  if (ofKey?.length === 0) return undefined;
  // Of several certificates of one key: no CA rather than a CA, then the one that holds longest, the renewed one.
  const [newest] = (ofKey ?? []).toSorted(
    (a, b) => Number(a.isCa) - Number(b.isCa) || b.notAfter.getTime() - a.notAfter.getTime(),
  );
  const issuesNone = certificates.filter(
    (candidate) => !certificates.some((other) => other !== candidate && couldIssue(candidate, other)),
  );
  const leaf = newest ?? (issuesNone.length === 1 ? issuesNone[0] : undefined) ?? first;
  const chain = [leaf];
  let signatures = 0;
  for (let top = leaf; chain.length < longestChain && !top.selfIssued; ) {
    let issuer: ParsedCertificate | undefined;
    for (const candidate of certificates) {
      if (chain.includes(candidate) || !couldIssue(candidate, top)) continue;
      if (++signatures > mostSignatures) break;
      const { signatureAlgorithm, tbs, signature } = top;
      // SHA-1 proves nothing, but the order that it was meant in is still the order.
      const signed =
        signatureAlgorithm.kind === 'unsupported' ||
        (await verifySignature(signatureAlgorithm, candidate.spki, tbs, signature));
      if (!signed) continue;
      issuer = candidate;
      break;
    }
    if (!issuer) break;
    chain.push(issuer);
    top = issuer;
  }
  return { chain, extra: certificates.filter((certificate) => !chain.includes(certificate)) };
}
