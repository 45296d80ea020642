import { createPublicKey } from 'node:crypto';
import { equalConstantTime } from '@sallyport/bytes';
import ssh2, { type ParsedKey } from 'ssh2';
import { type ClientSignatureAlgorithm, clientSignatureAlgorithms } from './algorithms.ts';

/** A client's public key with the signature algorithm it was named with (RFC 4252 section 7, RFC 8332). */
export type ClientKey = {
  readonly algorithm: ClientSignatureAlgorithm;
  /** The key blob, exactly as sent; it is the only encoding of this key. */
  readonly blob: Uint8Array;
  /** Is this a signature by the key over the data? Never throws. */
  readonly verify: (data: Uint8Array, signature: Uint8Array) => boolean;
};

/**
 * Bits of an RSA modulus: above costs more to verify than a login is worth. Keys below 2048 are weak; an account has
 * one only where its zone takes them.
 */
const rsaBits = { min: 1024, max: 16_384 } as const;

/** A key as ssh2 hands it over: RSA is always called `ssh-rsa`, with the hash beside it; SHA-1 has none. */
export type NamedKey = {
  readonly type: string;
  readonly hash: 'sha256' | 'sha512' | undefined;
  readonly blob: Uint8Array;
};

function signatureAlgorithm({ type, hash }: NamedKey): ClientSignatureAlgorithm | undefined {
  const rsa = hash ? ({ sha256: 'rsa-sha2-256', sha512: 'rsa-sha2-512' } as const)[hash] : 'ssh-rsa';
  const name = type === 'ssh-rsa' ? rsa : type;
  return clientSignatureAlgorithms.find((algorithm) => algorithm === name);
}

/** Does the blob begin with this key type? Keeps the parser, which also reads private keys and PEM, to blobs. */
function beginsWith(blob: Uint8Array, type: string): boolean {
  const name = Buffer.from(type, 'latin1');
  return (
    blob.length > 4 + name.length &&
    new DataView(blob.buffer, blob.byteOffset).getUint32(0) === name.length &&
    name.equals(blob.subarray(4, 4 + name.length))
  );
}

function parse(named: NamedKey): ParsedKey | undefined {
  try {
    const parsed = ssh2.utils.parseKey(Buffer.from(named.blob));
    if (parsed instanceof Error || Array.isArray(parsed)) return undefined;
    if (parsed.type !== named.type || parsed.isPrivateKey()) return undefined;
    // One key, one blob: what is looked up on the account is what has verified.
    return equalConstantTime(parsed.getPublicSSH(), named.blob) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function strongEnough(key: ParsedKey): boolean {
  if (key.type !== 'ssh-rsa') return true;
  try {
    const bits = createPublicKey(key.getPublicPEM()).asymmetricKeyDetails?.modulusLength ?? 0;
    return bits >= rsaBits.min && bits <= rsaBits.max;
  } catch {
    return false;
  }
}

/**
 * Reads a key that a client names.
 *
 * @param accepted signature algorithms of the policy
 * @returns the key; nothing for an algorithm that is not accepted, a blob that is not the one encoding of such a key,
 *   and RSA below 1024 or above 16384 bits
 */
export function readClientKey(named: NamedKey, accepted: readonly string[]): ClientKey | undefined {
  const algorithm = signatureAlgorithm(named);
  if (!algorithm || !accepted.includes(algorithm) || !beginsWith(named.blob, named.type)) return undefined;
  const key = parse(named);
  if (!key || !strongEnough(key)) return undefined;
  return {
    algorithm,
    blob: new Uint8Array(named.blob),
    verify(data, signature) {
      try {
        return key.verify(Buffer.from(data), Buffer.from(signature), named.hash) === true;
      } catch {
        return false;
      }
    },
  };
}
