import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { copyOf } from '@sallyport/bytes';
import { FaultError, ok, type Result, refuse } from '@sallyport/faults';
import { sshSignatureAlgorithms } from '@sallyport/model';
import { opensshPrivateKey, sshBlobOf, sshFingerprint } from '@sallyport/pki';
import type { Identity } from '../zone-view.ts';
import { sshField, sshMpint } from './wire.ts';

/** A host key that clients may know, whether or not it is the one that is in use. */
export type HostKey = {
  /** Public key blob (RFC 4253 section 6.6). */
  readonly blob: Buffer;
  /** `SHA256:` and base64, as OpenSSH shows it. */
  readonly fingerprint: string;
  /** Signature algorithms that the policy lets it use, in the policy's order. */
  readonly algorithms: readonly string[];
  /** A signature blob (RFC 4253 section 6.6) by one of its algorithms. */
  sign(algorithm: string, data: Uint8Array): Buffer;
};

/** The host keys of a server. */
export type HostKeys = {
  /** Private keys in OpenSSH form of those in use: the first of each type. */
  readonly privateKeys: readonly string[];
  /** Signature algorithms of those in use, in the policy's order. */
  readonly algorithms: readonly string[];
  /** All of them, in the order of the identities: those in use, and those that clients are to learn or may forget. */
  readonly announced: readonly HostKey[];
};

/** Hash of each signature algorithm; Ed25519 brings its own. */
const hashes: Readonly<Record<string, string>> = {
  'ecdsa-sha2-nistp256': 'sha256',
  'ecdsa-sha2-nistp384': 'sha384',
  'ecdsa-sha2-nistp521': 'sha512',
  'rsa-sha2-512': 'sha512',
  'rsa-sha2-256': 'sha256',
  'ssh-rsa': 'sha1',
};

/**
 * Host keys from a server's identities. Of several of a type the first is in use; the others are announced to
 * clients, which learn or keep them for the day on which they are first.
 *
 * @param policy signature algorithms of host keys, best first
 * @returns the keys; `item-key-missing` without an identity, `item-engine-refused` for a key that does not load and
 *   where the policy lets none of the keys sign
 */
export async function hostKeysOf(
  identities: readonly Identity[],
  policy: readonly string[],
): Promise<Result<HostKeys>> {
  if (identities.length === 0) return refuse('item-key-missing', 'no certificate is assigned');
  const inUse = new Map<Identity['keyType'], string>();
  const announced: HostKey[] = [];
  for (const identity of identities) {
    const algorithms = policy.filter((name) => sshSignatureAlgorithms[identity.keyType].includes(name));
    if (algorithms.length === 0) continue;
    try {
      announced.push(hostKey(identity, algorithms));
      if (!inUse.has(identity.keyType)) {
        inUse.set(identity.keyType, await opensshPrivateKey(identity.privateKey));
      }
    } catch (error) {
      // Whatever a key file does to OpenSSL, its message may quote the file.
      if (error instanceof TypeError) throw error;
      return refuse('item-engine-refused', `the key of certificate ${identity.id} does not load`);
    }
  }
  if (inUse.size === 0) {
    return refuse('item-engine-refused', 'the algorithm policy lets none of the assigned keys sign');
  }
  const usable = new Set([...inUse.keys()].flatMap((type) => sshSignatureAlgorithms[type]));
  return ok({
    privateKeys: [...inUse.values()],
    algorithms: policy.filter((name) => usable.has(name)),
    announced,
  });
}

function hostKey(identity: Identity, algorithms: readonly string[]): HostKey {
  const key = createPrivateKey({ key: Buffer.from(identity.privateKey), format: 'der', type: 'pkcs8' });
  const spki = sshBlobOf(copyOf(createPublicKey(key).export({ format: 'der', type: 'spki' })));
  if (!spki.ok) throw new FaultError(spki.fault);
  return {
    blob: Buffer.from(spki.value),
    fingerprint: sshFingerprint(spki.value),
    algorithms,
    sign: (algorithm, data) =>
      Buffer.concat([sshField(algorithm), sshField(signatureOf(key, algorithm, data))]),
  };
}

/** The inner part of a signature blob (RFC 8332 section 3, RFC 5656 section 3.1.2, RFC 8709 section 6). */
function signatureOf(key: KeyObject, algorithm: string, data: Uint8Array): Buffer {
  const hash = hashes[algorithm];
  if (hash === undefined) return sign(null, data, key);
  if (!algorithm.startsWith('ecdsa-')) return sign(hash, data, key);
  const numbers = sign(hash, data, { key, dsaEncoding: 'ieee-p1363' });
  const half = numbers.length / 2;
  return Buffer.concat([sshMpint(numbers.subarray(0, half)), sshMpint(numbers.subarray(half))]);
}
