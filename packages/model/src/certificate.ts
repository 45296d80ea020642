import { z } from 'zod';
import { certificateMatch, credentialAnchor } from './account.ts';
import { alias, cidr, id, label, sha256, time } from './scalars.ts';

/** What a certificate is for (reference T1-T6). `partner` and `private` are stored only, for now. */
export const certificateKinds = ['local', 'trusted', 'internal-ca', 'login', 'partner', 'private'] as const;
export type CertificateKind = (typeof certificateKinds)[number];

export const certificateStatuses = ['valid', 'not-yet-valid', 'expired', 'untrusted', 'revoked'] as const;
export type CertificateStatus = (typeof certificateStatuses)[number];

/** What a trusted certificate vouches for: TLS clients below it, or SSH users whose certificates its key signed. */
export const trustUsages = ['tls-clients', 'ssh-ca'] as const;
export type TrustUsage = (typeof trustUsages)[number];

/** Steps of an internal CA's roll-over. Prepared, active and retired ones are trusted; the active one signs. */
export const internalCaStates = ['prepared', 'active', 'retired'] as const;
export type InternalCaState = (typeof internalCaStates)[number];

/** How certificates below a CA are checked for revocation; a manual revocation holds in any case. */
export const revocationModes = ['none', 'crl'] as const;
export type RevocationMode = (typeof revocationModes)[number];

/** What happens to logins below a CA whose list is past its `nextUpdate`, or was never there. */
export const staleCrlBehaviours = ['accept-with-alarm', 'reject'] as const;
export type StaleCrlBehaviour = (typeof staleCrlBehaviours)[number];

/** Reasons that a revocation list names (RFC 5280 section 5.3.1). */
export const revocationReasons = [
  'unspecified',
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'privilegeWithdrawn',
] as const;
export type RevocationReason = (typeof revocationReasons)[number];

/** ASCII without spaces: what an IA5String of a name may hold (RFC 5280 section 4.2.1.6). */
const visible = z.string().regex(/^[\u0021-\u007e]*$/, 'printable ASCII');

/** A subject alternative name; `ip` in its usual text form. */
export const subjectAltName = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('dns'), value: visible.min(1).max(253) }),
  z.strictObject({ type: z.literal('ip'), value: z.union([z.ipv4(), z.ipv6()]) }),
  z.strictObject({ type: z.literal('email'), value: z.email().max(254) }),
  z.strictObject({
    type: z.literal('uri'),
    value: z
      .url()
      .max(2_048)
      .regex(/^[\u0021-\u007e]*$/),
  }),
]);
export type SubjectAltName = z.infer<typeof subjectAltName>;

/** Names of a key's type as `ssh-keygen -l` and RFC 8017/5480/8410 know them. */
export const keyTypes = ['rsa', 'ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521', 'ed25519'] as const;
export type KeyType = (typeof keyTypes)[number];

export const publicKey = z.strictObject({
  type: z.enum(keyTypes),
  bits: z.int(),
  /** OpenSSH form, `SHA256:` and unpadded base64 over the SSH key blob. */
  sshFingerprint: z.string(),
  /** SHA-256 of the DER SubjectPublicKeyInfo. */
  spkiSha256: sha256,
});
export type PublicKeyFacts = z.infer<typeof publicKey>;

/** How the key came into its certificate: a real X.509 one, or the wrapper of an SSH key (design section 3). */
export const certificateForms = ['x509', 'ssh-key'] as const;
export type CertificateForm = (typeof certificateForms)[number];

/** A key in its certificate. */
export const certificate = z.strictObject({
  id,
  alias,
  kind: z.enum(certificateKinds),
  form: z.enum(certificateForms),
  /** Zones that may use it (local). */
  zones: z.array(id).max(100),
  /** Account that it logs in (login). */
  account: id.optional(),
  match: certificateMatch.optional(),
  anchor: credentialAnchor.optional(),
  subject: z.string(),
  issuer: z.string(),
  serial: z.string(),
  sans: z.array(subjectAltName),
  notBefore: time,
  notAfter: time,
  /** End of an SSH key's use as a credential; absent: none. */
  validUntil: time.optional(),
  key: publicKey,
  sha256,
  hasPrivateKey: z.boolean(),
  comment: label.optional(),
  /** Networks that an SSH key may log in from; absent: anywhere. */
  sources: z.array(cidr).optional(),
  /** What a trusted certificate vouches for. */
  usage: z.enum(trustUsages).optional(),
  /** Where an internal CA stands in its roll-over. */
  caState: z.enum(internalCaStates).optional(),
  /** Until when a retired internal CA stays trusted. */
  trustedUntil: time.optional(),
  revocation: z.enum(revocationModes).optional(),
  onStaleCrl: z.enum(staleCrlBehaviours).optional(),
  crlUrl: z.string().optional(),
  /** Why this private key may stand in an edge zone and in an internal one. */
  sharedKeyWaiver: z.string().optional(),
  /** Computed when it is read. */
  status: z.enum(certificateStatuses),
  usedBy: z.array(z.string()),
  revokedAt: time.optional(),
  pem: z.string(),
  version: z.int(),
  createdAt: time,
});
export type Certificate = z.infer<typeof certificate>;
