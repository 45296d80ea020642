import type { ParsedCertificate } from './certificate.ts';
import { type KeyUsage, unknownCritical } from './extensions.ts';
import { violatedConstraint } from './name-constraints.ts';
import { oids } from './oids.ts';

/** Why a client certificate is not accepted: for the audit log and `explain`, never for the wire. */
export type ClientRefusalReason =
  /** Something that was shown is no certificate. */
  | 'malformed'
  | 'too-many-certificates'
  | 'key-unsupported'
  | 'signature-algorithm'
  | 'not-yet-valid'
  | 'expired'
  | 'revoked'
  /** The CA that signed it must have a fresh revocation list, and has none. */
  | 'crl-stale'
  /** The wrapper of an SSH key, which is never a TLS credential (design section 3). */
  | 'wrapper'
  /** Key usage or extended key usage leave out client authentication, or a CA may not sign. */
  | 'purpose'
  /** A critical extension that nobody here evaluates, or name constraints that cannot be read. */
  | 'critical-extension'
  /** A CA speaks of a name that a CA above it does not let it. */
  | 'name-constraints'
  | 'path-length'
  /** No path to a CA of the zone. */
  | 'untrusted'
  /** The search for a path reached its bounds. */
  | 'path-too-complex'
  /** Good, but on no account. */
  | 'unregistered';

/** A refusal; `detail` names the certificate or rule. */
export type ClientRefusal = { readonly reason: ClientRefusalReason; readonly detail: string };

/** What the lists of a certificate's issuer say against it. */
export type IssuedCheck = (
  issuer: ParsedCertificate,
  certificate: ParsedCertificate,
) => ClientRefusal | undefined;

/** What a certificate is judged against. */
export type Circumstances = {
  readonly now: Date;
  /** Was it revoked here, by certificate or key? */
  isRevoked(certificate: { readonly sha256: string; readonly spkiSha256: string }): boolean;
  /** What the list of its issuer says; absent: no lists are looked at. */
  readonly checkIssued?: IssuedCheck | undefined;
  /** What the leaf is to serve as; a TLS client where it is left out. */
  readonly purpose?: TlsPurpose | undefined;
};

/** The two ends of a TLS connection. */
export type TlsPurpose = 'tls-client' | 'tls-server';

const purposesOf: Readonly<Record<TlsPurpose, readonly string[]>> = {
  'tls-client': [oids.clientAuth, oids.anyExtendedKeyUsage],
  'tls-server': [oids.serverAuth, oids.anyExtendedKeyUsage],
};
const sshPurposes: readonly string[] = [oids.secureShellClient, oids.secureShellServer];

/** The rules that hold for every certificate of a path and for a pinned one. */
function judgeAny(certificate: ParsedCertificate, circumstances: Circumstances): ClientRefusal | undefined {
  const { subject, sha256, key } = certificate;
  const { now } = circumstances;
  // Written so that a clock that tells no time refuses.
  if (!(now >= certificate.notBefore)) {
    return { reason: 'not-yet-valid', detail: `${subject} from ${certificate.notBefore.toISOString()}` };
  }
  if (!(now <= certificate.notAfter)) {
    return { reason: 'expired', detail: `${subject} since ${certificate.notAfter.toISOString()}` };
  }
  if (circumstances.isRevoked({ sha256, spkiSha256: key.spkiSha256 }))
    return { reason: 'revoked', detail: subject };
  // Name constraints of what is no CA mean nothing that could be held.
  const foreign = !certificate.isCa && certificate.criticalExtensions.includes(oids.nameConstraints);
  const unknown = [...unknownCritical(certificate), ...(foreign ? [oids.nameConstraints] : [])];
  if (unknown.length > 0) {
    return { reason: 'critical-extension', detail: `${subject}: ${unknown.join(', ')}` };
  }
  return undefined;
}

/** Is the purpose among its own? Without the extension there is no limit (RFC 5280 section 4.2.1.12). */
const serves = (
  { extendedKeyUsage }: ParsedCertificate,
  { purpose = 'tls-client' }: Pick<Circumstances, 'purpose'>,
): boolean =>
  extendedKeyUsage === undefined || extendedKeyUsage.some((own) => purposesOf[purpose].includes(own));

/** Key usages that let a leaf serve: RSA servers of old encrypt instead of signing (RFC 5280 section 4.2.1.12). */
const usagesOf: Readonly<Record<TlsPurpose, readonly KeyUsage[]>> = {
  'tls-client': ['digitalSignature'],
  'tls-server': ['digitalSignature', 'keyEncipherment', 'keyAgreement'],
};

/**
 * May this end-entity certificate stand for a TLS client (or the purpose asked for) at all? Its signature and its path are another question.
 *
 * @returns what speaks against it
 */
export function judgeLeaf(leaf: ParsedCertificate, circumstances: Circumstances): ClientRefusal | undefined {
  const { subject, keyUsage, extendedKeyUsage = [], criticalExtensions, signatureAlgorithm } = leaf;
  const general = judgeAny(leaf, circumstances);
  if (general) return general;
  if (
    criticalExtensions.includes(oids.extendedKeyUsage) &&
    extendedKeyUsage.some((purpose) => sshPurposes.includes(purpose))
  ) {
    return { reason: 'wrapper', detail: `${subject} wraps an SSH key` };
  }
  if (!serves(leaf, circumstances)) {
    return { reason: 'purpose', detail: `${subject} serves ${extendedKeyUsage.join(', ')}` };
  }
  const usages = usagesOf[circumstances.purpose ?? 'tls-client'];
  if (keyUsage && !usages.some((usage) => keyUsage.includes(usage))) {
    return { reason: 'purpose', detail: `${subject} may not sign` };
  }
  // A pinned certificate is not believed for its signature, but one rule for all is one that people can know.
  if (signatureAlgorithm.kind === 'unsupported') {
    return { reason: 'signature-algorithm', detail: `${subject}: ${signatureAlgorithm.oid}` };
  }
  return undefined;
}

/** Name constraints hold for the leaf and for every CA below that does not only renew itself (RFC 5280 section 6.1.3). */
function judgeNames(
  { subject, nameConstraints }: ParsedCertificate,
  below: readonly ParsedCertificate[],
): ClientRefusal | undefined {
  if (!nameConstraints) return undefined;
  if (nameConstraints.kind === 'unreadable') {
    return { reason: 'critical-extension', detail: `${subject}: name constraints` };
  }
  for (const [at, certificate] of below.entries()) {
    if (at > 0 && certificate.selfIssued) continue;
    const violation = violatedConstraint(certificate, nameConstraints);
    if (violation) return { reason: 'name-constraints', detail: `${subject} does not allow ${violation}` };
  }
  return undefined;
}

/**
 * May this certificate stand as a CA above `below` (RFC 5280 section 6.1.4)? Its signature is another question.
 *
 * @param below the path under it, leaf first
 * @returns what speaks against it
 */
export function judgeCa(
  ca: ParsedCertificate,
  below: readonly ParsedCertificate[],
  circumstances: Circumstances,
): ClientRefusal | undefined {
  const { subject, keyUsage, pathLength } = ca;
  if (!ca.isCa) return { reason: 'purpose', detail: `${subject} is no CA` };
  if (keyUsage && !keyUsage.includes('keyCertSign')) {
    return { reason: 'purpose', detail: `${subject} may not sign certificates` };
  }
  const general = judgeAny(ca, circumstances);
  if (general) return general;
  const constrained = judgeNames(ca, below);
  if (constrained) return constrained;
  // The standard leaves it open; OpenSSL and browsers read a CA's purposes as a limit on all below it.
  if (!serves(ca, circumstances))
    return { reason: 'purpose', detail: `${subject} issues for other purposes` };
  const intermediates = below.slice(1).filter((certificate) => !certificate.selfIssued).length;
  if (pathLength !== undefined && intermediates > pathLength) {
    return { reason: 'path-length', detail: `${subject} allows ${pathLength}` };
  }
  return undefined;
}
