import type { ParsedCertificate } from './certificate.ts';
import { sameBytes } from './der.ts';
import { type Circumstances, type ClientRefusal, judgeCa } from './judge-certificate.ts';
import { verifySignature } from './signature.ts';
import type { TrustAnchors } from './trust-anchors.ts';

/** A verified path, leaf first, anchor last. */
export type CertificatePath = readonly ParsedCertificate[];

/** Certificates in a path, leaf and anchor counted. */
const longestPath = 8;
/** Signatures that one client may make us check. */
const mostSignatures = 64;
/** Steps of the search, for chains that share signatures but not paths. */
const mostSteps = 512;
/** Paths that differ; more would tell nothing new. */
const mostPaths = 16;

/** Could `issuer` have signed `subject`, going by names and key identifiers (RFC 5280 section 6.1, RFC 4158)? */
export const couldIssue = (issuer: ParsedCertificate, subject: ParsedCertificate): boolean =>
  sameBytes(issuer.subjectDer, subject.issuerDer) &&
  (subject.authorityKeyId === undefined ||
    issuer.subjectKeyId === undefined ||
    subject.authorityKeyId === issuer.subjectKeyId);

/**
 * Finds the paths from a certificate to the anchors (RFC 5280 section 6, RFC 4158). Every candidate is tried:
 * CAs that share a name, cross-signed CAs, intermediates in any order. An anchor is held to the rules of a CA too.
 *
 * @param leaf already judged by itself
 * @param intermediates as the client sent them
 * @returns all paths within the bounds; where there is none, what spoke against the most promising candidate
 */
export async function findPaths(
  leaf: ParsedCertificate,
  intermediates: readonly ParsedCertificate[],
  anchors: TrustAnchors,
  circumstances: Circumstances,
): Promise<{
  readonly paths: readonly CertificatePath[];
  readonly refusal: ClientRefusal;
  /** The CA that signed the leaf has revoked it: so says its list, whatever path leads to it. */
  readonly leafRevoked?: ClientRefusal | undefined;
}> {
  const paths: CertificatePath[] = [];
  const verified = new Map<string, boolean>();
  let signatures = 0;
  let steps = 0;
  let exhausted = false;
  let tooLong = false;
  let obstacle: ClientRefusal | undefined;
  let leafRevoked: ClientRefusal | undefined;

  async function signed(subject: ParsedCertificate, issuer: ParsedCertificate): Promise<boolean> {
    const pair = `${subject.sha256} ${issuer.key.spkiSha256}`;
    const known = verified.get(pair);
    if (known !== undefined) return known;
    if (++signatures > mostSignatures) {
      exhausted = true;
      return false;
    }
    const { signatureAlgorithm, tbs, signature } = subject;
    const valid = await verifySignature(signatureAlgorithm, issuer.spki, tbs, signature);
    verified.set(pair, valid);
    return valid;
  }

  async function extend(path: CertificatePath): Promise<void> {
    const top = path.at(-1) as ParsedCertificate;
    const trusted = anchors.named(top.issuerDer);
    const candidates = [
      ...trusted.map((certificate) => ({ certificate, anchor: true })),
      ...intermediates
        .filter(({ sha256 }) => !trusted.some((anchor) => anchor.sha256 === sha256))
        .map((certificate) => ({ certificate, anchor: false })),
    ];
    for (const { certificate, anchor } of candidates) {
      if (paths.length === mostPaths || exhausted) return;
      if (!couldIssue(certificate, top)) continue;
      // A key that is there already adds nothing and could go round for ever (RFC 4158 section 5.2).
      const repeated = path.some(
        (below) =>
          below.key.spkiSha256 === certificate.key.spkiSha256 &&
          sameBytes(below.subjectDer, certificate.subjectDer),
      );
      if (repeated) continue;
      if (path.length === longestPath) {
        tooLong = true;
        return;
      }
      if (++steps > mostSteps) {
        exhausted = true;
        return;
      }
      if (top.signatureAlgorithm.kind === 'unsupported') {
        obstacle ??= {
          reason: 'signature-algorithm',
          detail: `${top.subject}: ${top.signatureAlgorithm.oid}`,
        };
        return;
      }
      if (!(await signed(top, certificate))) continue;
      const listed = circumstances.checkIssued?.(certificate, top);
      if (listed) {
        obstacle ??= listed;
        if (top === leaf && listed.reason === 'revoked') leafRevoked ??= listed;
        continue;
      }
      const refusal = judgeCa(certificate, path, circumstances);
      if (refusal) {
        obstacle ??= refusal;
        continue;
      }
      const longer = [...path, certificate];
      if (anchor) paths.push(longer);
      else await extend(longer);
    }
  }

  await extend([leaf]);
  return {
    paths,
    leafRevoked,
    refusal:
      obstacle ??
      (exhausted || tooLong
        ? { reason: 'path-too-complex', detail: `${signatures} signatures, ${steps} steps` }
        : { reason: 'untrusted', detail: `no path from ${leaf.subject} to a trusted CA` }),
  };
}
