import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { parseSshCertificate, type SshCertificate } from '@sallyport/pki';
import type { ClientSignatureAlgorithm } from './algorithms.ts';
import { readFields } from './wire.ts';

/** An OpenSSH certificate that a client shows, with the signature algorithm it was named with (PROTOCOL.certkeys). */
export type ClientCertificate = {
  /** As the client named it: what PK_OK repeats. */
  readonly algorithm: string;
  /** Blob of the certified key. */
  readonly blob: Uint8Array;
  readonly certificate: SshCertificate;
  /** Is this a signature by the certified key over the data? Never throws. */
  readonly verify: (data: Uint8Array, signature: Uint8Array) => boolean;
};

const suffix = '-cert-v01@openssh.com';

type Signing = { readonly hash: string | null; readonly scalarBytes?: number };

/** How a signature algorithm signs; ECDSA with the bytes of one of its two numbers. */
const signings: Readonly<Record<ClientSignatureAlgorithm, Signing>> = {
  'ssh-ed25519': { hash: null },
  'ecdsa-sha2-nistp256': { hash: 'sha256', scalarBytes: 32 },
  'ecdsa-sha2-nistp384': { hash: 'sha384', scalarBytes: 48 },
  'ecdsa-sha2-nistp521': { hash: 'sha512', scalarBytes: 66 },
  'rsa-sha2-512': { hash: 'sha512' },
  'rsa-sha2-256': { hash: 'sha256' },
  'ssh-rsa': { hash: 'sha1' },
};

const isSigning = (name: string): name is ClientSignatureAlgorithm => Object.hasOwn(signings, name);

/** The key type that an algorithm signs with: three are of RSA. */
const keyTypeOf = (algorithm: string): string => (algorithm.includes('rsa') ? 'ssh-rsa' : algorithm);

/** The type that stands at the front of a certificate that has been read. */
function typeNameOf(blob: Uint8Array): string {
  const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength);
  return bytes.toString('latin1', 4, 4 + bytes.readUInt32BE(0));
}

/** Both numbers of an ECDSA signature at full length, as WebCrypto writes them; nothing where they are none. */
function ecdsaNumbers(content: Buffer, scalarBytes: number): Buffer | undefined {
  const numbers = readFields(content, 2);
  if (numbers?.length !== 2) return undefined;
  const whole = Buffer.alloc(2 * scalarBytes);
  for (const [at, number] of numbers.entries()) {
    const digits = number[0] === 0 ? number.subarray(1) : number;
    if (digits.length === 0 || digits.length > scalarBytes) return undefined;
    whole.set(digits, (at + 1) * scalarBytes - digits.length);
  }
  return whole;
}

function verifies(
  key: KeyObject,
  algorithm: ClientSignatureAlgorithm,
  data: Uint8Array,
  blob: Uint8Array,
): boolean {
  const [name, content, ...more] = readFields(Buffer.from(blob), 2) ?? [];
  if (name?.toString('latin1') !== algorithm || !content || more.length > 0) return false;
  const { hash, scalarBytes } = signings[algorithm];
  const signature = scalarBytes === undefined ? content : ecdsaNumbers(content, scalarBytes);
  if (!signature) return false;
  return verify(hash, data, { key, dsaEncoding: 'ieee-p1363' }, signature);
}

/**
 * Reads a certificate that a client names. Whether it admits anybody, its judge says; that its holder has the key,
 * `verify`.
 *
 * @param named `type` as the client sent it, and the certificate's blob
 * @param accepted signature algorithms of the policy
 * @returns nothing for what is no certificate, an algorithm that is not accepted, and a certificate of another key type
 */
export function readClientCertificate(
  named: { readonly type: string; readonly blob: Uint8Array },
  accepted: readonly string[],
): ClientCertificate | undefined {
  if (!named.type.endsWith(suffix)) return undefined;
  const algorithm = named.type.slice(0, -suffix.length);
  if (!isSigning(algorithm) || !accepted.includes(algorithm)) return undefined;
  const read = parseSshCertificate(named.blob);
  if (!read.ok) return undefined;
  const certificate = read.value;
  if (typeNameOf(named.blob) !== `${keyTypeOf(algorithm)}${suffix}`) return undefined;
  return {
    algorithm: named.type,
    blob: certificate.key,
    certificate,
    verify(data, signature) {
      try {
        const key = createPublicKey({ key: Buffer.from(certificate.spki), format: 'der', type: 'spki' });
        return verifies(key, algorithm, data, signature);
      } catch {
        return false;
      }
    },
  };
}
