import { type Bytes, concat, copyOf } from '@sallyport/bytes';
import { encode, encodePositiveInteger, sameBytes, tags } from './der.ts';
import { encodeSpki } from './public-key.ts';
import { type SignatureAlgorithm, verifySignature } from './signature.ts';
import { sourceIn, sourcePatterns } from './source-patterns.ts';
import { parseSshCertificate, type SshCertificate } from './ssh-certificate.ts';
import { parseSshBlob, sshKeyName } from './ssh-key.ts';
import { SshReader, SshWireError } from './ssh-wire.ts';

/** Why an OpenSSH certificate admits nobody: for the audit log and `explain`, never for the wire. */
export type SshCertificateRefusalReason =
  | 'malformed'
  | 'key-unsupported'
  /** A host's certificate shown by a user. */
  | 'not-for-users'
  | 'untrusted'
  /** Not signed by the CA that it names. */
  | 'signature'
  | 'not-yet-valid'
  | 'expired'
  | 'revoked'
  /** It names no principal at all: OpenSSH takes that for everybody in places, we for nobody. */
  | 'no-principals'
  | 'principal'
  | 'source-address'
  | 'force-command'
  /** An option that nobody here evaluates. */
  | 'critical-option';

export type SshCertificateVerdict =
  | { readonly kind: 'accepted'; readonly certificate: SshCertificate }
  | { readonly kind: 'refused'; readonly reason: SshCertificateRefusalReason; readonly detail: string };

const ecdsaHashes = { 'ecdsa-p256': 'SHA-256', 'ecdsa-p384': 'SHA-384', 'ecdsa-p521': 'SHA-512' } as const;

/** Signature of a certificate as X.509 has it (RFC 8332, RFC 5656 section 3.1.2, RFC 8709). */
function readSignature(
  blob: Bytes,
  type: keyof typeof ecdsaHashes | 'rsa' | 'ed25519',
  modulusLength: number,
): { readonly algorithm: SignatureAlgorithm; readonly signature: Bytes } | undefined {
  const reader = new SshReader(blob);
  const name = reader.text();
  const content = copyOf(reader.string());
  reader.finish();
  if (type === 'rsa') {
    // `ssh-rsa` is SHA-1, which proves nothing any more.
    if (name !== 'rsa-sha2-256' && name !== 'rsa-sha2-512') return undefined;
    if (content.length > modulusLength) return undefined;
    const hash = name === 'rsa-sha2-256' ? 'SHA-256' : 'SHA-512';
    const whole = concat(new Uint8Array(modulusLength - content.length), content);
    return { algorithm: { kind: 'rsa-pkcs1', hash }, signature: whole };
  }
  if (name !== sshKeyName(type)) return undefined;
  if (type === 'ed25519') return { algorithm: { kind: 'ed25519' }, signature: content };
  const numbers = new SshReader(content);
  const [r, s] = [numbers.positiveMpint(), numbers.positiveMpint()];
  numbers.finish();
  return {
    algorithm: { kind: 'ecdsa', hash: ecdsaHashes[type] },
    signature: encode(tags.sequence, encodePositiveInteger(r), encodePositiveInteger(s)),
  };
}

/** Did the CA that the certificate names sign it? Whether that CA is trusted is another question. */
export async function sshCertificateSigned(certificate: SshCertificate): Promise<boolean> {
  const ca = parseSshBlob(certificate.ca);
  if (!ca.ok) return false;
  const parts = ca.value;
  try {
    const read = readSignature(
      certificate.signature,
      parts.type,
      parts.type === 'rsa' ? parts.modulus.length : 0,
    );
    if (!read) return false;
    return await verifySignature(read.algorithm, encodeSpki(parts), certificate.signed, read.signature);
  } catch (error) {
    if (error instanceof SshWireError) return false;
    throw error;
  }
}

/** The one command that a file transfer server can be held to. */
const sftpCommand = 'internal-sftp';

/** What the options say against this login; nothing where all are held. */
function judgeOptions(
  { criticalOptions }: SshCertificate,
  sourceAddress: string,
): { readonly reason: SshCertificateRefusalReason; readonly detail: string } | undefined {
  for (const [name, value] of criticalOptions) {
    if (name === 'source-address') {
      const patterns = sourcePatterns(value);
      if (patterns.kind === 'unsupported' || !sourceIn(sourceAddress, patterns.networks)) {
        return { reason: 'source-address', detail: `${sourceAddress} is not in ${value.slice(0, 200)}` };
      }
    } else if (name === 'force-command') {
      if (value !== sftpCommand)
        return { reason: 'force-command', detail: 'a command other than internal-sftp' };
    } else return { reason: 'critical-option', detail: name };
  }
  return undefined;
}

/**
 * Judges an OpenSSH user certificate. That the client has its key is proved elsewhere, by the signature of the login.
 *
 * It never throws on what a client sent.
 *
 * @param input `certificate`: the blob, or read already; `trustedCas`: SSH key blobs; `principal`: the login name;
 *   `sourceAddress`: the client's address as text
 */
export async function verifyUserCertificate(input: {
  readonly certificate: Bytes | SshCertificate;
  readonly trustedCas: readonly Bytes[];
  readonly principal: string;
  readonly sourceAddress: string;
  readonly now: Date;
  isRevoked(certificate: SshCertificate): boolean;
}): Promise<SshCertificateVerdict> {
  const refused = (reason: SshCertificateRefusalReason, detail: string): SshCertificateVerdict => ({
    kind: 'refused',
    reason,
    detail,
  });
  let certificate: SshCertificate;
  if ('blob' in input.certificate) certificate = input.certificate;
  else {
    const read = parseSshCertificate(input.certificate);
    if (!read.ok) {
      const { code, detail = code } = read.fault;
      return refused(code === 'key-unsupported' ? 'key-unsupported' : 'malformed', detail);
    }
    certificate = read.value;
  }
  const { kind, keyId, principals, validAfter, validBefore, ca, caFacts } = certificate;
  const name = `certificate ${certificate.serial} of ${keyId.slice(0, 200)}`;
  if (kind !== 'user') return refused('not-for-users', `${name} is for hosts`);
  if (!input.trustedCas.some((trusted) => sameBytes(trusted, ca))) {
    return refused('untrusted', `${name} is of the CA ${caFacts.sshFingerprint}`);
  }
  if (!(await sshCertificateSigned(certificate))) {
    return refused('signature', `${name} is not signed by ${caFacts.sshFingerprint}`);
  }
  // Written so that a clock that tells no time refuses.
  if (!(input.now >= validAfter)) return refused('not-yet-valid', `${name} from ${validAfter.toISOString()}`);
  if (validBefore && !(input.now < validBefore)) {
    return refused('expired', `${name} since ${validBefore.toISOString()}`);
  }
  if (input.isRevoked(certificate)) return refused('revoked', name);
  if (principals.length === 0) return refused('no-principals', name);
  if (!principals.includes(input.principal)) return refused('principal', `${name} is for others`);
  const against = judgeOptions(certificate, input.sourceAddress);
  return against ? { kind: 'refused', ...against } : { kind: 'accepted', certificate };
}
