import type { ParsedCertificate } from './certificate.ts';
import { sameBytes } from './der.ts';
import { type Circumstances, type ClientRefusal, judgeCa, judgeLeaf } from './judge-certificate.ts';
import type { CertificatePath } from './path.ts';
import { verifySignature } from './signature.ts';
import type { TrustAnchors } from './trust-anchors.ts';

/** A way up from a certificate, good or not. */
export type ReportedPath = {
  /** Leaf first; the last one is the anchor where `anchored`, else the one at which the way ends. */
  readonly path: CertificatePath;
  readonly anchored: boolean;
  /** Everything that speaks against it, from the leaf upwards; empty: it is accepted. */
  readonly refusals: readonly ClientRefusal[];
};

/** All ways up, and whether there were more than are looked at. */
export type PathReport = { readonly paths: readonly ReportedPath[]; readonly complete: boolean };

const longestPath = 8;
const mostPaths = 32;
const mostSignatures = 128;

/** Why this CA cannot have signed it, going by key identifiers and signature. */
async function unsigned(
  subject: ParsedCertificate,
  issuer: ParsedCertificate,
): Promise<ClientRefusal | undefined> {
  const { signatureAlgorithm, authorityKeyId, tbs, signature } = subject;
  if (signatureAlgorithm.kind === 'unsupported') {
    return { reason: 'signature-algorithm', detail: `${subject.subject}: ${signatureAlgorithm.oid}` };
  }
  if (authorityKeyId && issuer.subjectKeyId && authorityKeyId !== issuer.subjectKeyId) {
    const detail = `${subject.subject} names the key ${authorityKeyId}, this ${issuer.subject} has ${issuer.subjectKeyId}`;
    return { reason: 'untrusted', detail };
  }
  if (await verifySignature(signatureAlgorithm, issuer.spki, tbs, signature)) return undefined;
  return { reason: 'untrusted', detail: `${subject.subject} is not signed by this key of ${issuer.subject}` };
}

/**
 * Walks every way up from a certificate and says of each what speaks against it: for people who ask why a chain is not
 * accepted. `verifyClient` judges by the same rules; it stops at the first thing that is wrong, this goes on.
 *
 * @param intermediates in any order
 * @returns at most 32 ways of at most 8 certificates
 */
export async function reportPaths(
  leaf: ParsedCertificate,
  intermediates: readonly ParsedCertificate[],
  anchors: TrustAnchors,
  circumstances: Circumstances,
): Promise<PathReport> {
  const paths: ReportedPath[] = [];
  let signatures = 0;
  let complete = true;

  async function extend(path: CertificatePath, refusals: readonly ClientRefusal[]): Promise<void> {
    const top = path.at(-1) as ParsedCertificate;
    const trusted = anchors.named(top.issuerDer);
    const candidates = [
      ...trusted.map((certificate) => ({ certificate, anchor: true })),
      ...intermediates
        .filter(({ subjectDer, sha256 }) => {
          const isTrusted = trusted.some((anchor) => anchor.sha256 === sha256);
          return !isTrusted && sameBytes(subjectDer, top.issuerDer);
        })
        .map((certificate) => ({ certificate, anchor: false })),
    ].filter(({ certificate }) => !path.some(({ sha256 }) => sha256 === certificate.sha256));
    if (candidates.length === 0) {
      const detail = `nobody here is ${top.issuer}, who issued ${top.subject}`;
      paths.push({ path, anchored: false, refusals: [...refusals, { reason: 'untrusted', detail }] });
      return;
    }
    for (const { certificate, anchor } of candidates) {
      if (paths.length === mostPaths || path.length === longestPath || ++signatures > mostSignatures) {
        complete = false;
        return;
      }
      const longer = [...path, certificate];
      const foreign = await unsigned(top, certificate);
      if (foreign) {
        paths.push({ path: longer, anchored: false, refusals: [...refusals, foreign] });
        continue;
      }
      const more = [
        ...refusals,
        circumstances.checkIssued?.(certificate, top),
        judgeCa(certificate, path, circumstances),
      ].filter((refusal) => refusal !== undefined);
      if (anchor) paths.push({ path: longer, anchored: true, refusals: more });
      else await extend(longer, more);
    }
  }

  const own = judgeLeaf(leaf, circumstances);
  await extend([leaf], own ? [own] : []);
  return { paths, complete };
}
