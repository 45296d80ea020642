import { type Bytes, copyOf } from '@sallyport/bytes';
import { ok, type Result, refuse } from '@sallyport/faults';
import {
  bitStringOctets,
  DerError,
  DerReader,
  encode,
  encodeBitString,
  encodeOid,
  encodePositiveInteger,
  oidText,
  positiveInteger,
  tags,
  tryDer,
} from './der.ts';
import { type EcdsaType, isOnCurve } from './elliptic-curve.ts';
import { oids } from './oids.ts';

/** A public key taken apart. Magnitudes are big-endian without leading zeros. */
export type PublicKeyParts =
  | { readonly type: 'rsa'; readonly modulus: Bytes; readonly exponent: Bytes }
  /** `point` in SEC 1 uncompressed form. */
  | { readonly type: EcdsaType; readonly point: Bytes }
  | { readonly type: 'ed25519'; readonly point: Bytes };

const curves: Readonly<Record<EcdsaType, { readonly oid: string; readonly bits: number }>> = {
  'ecdsa-p256': { oid: oids.p256, bits: 256 },
  'ecdsa-p384': { oid: oids.p384, bits: 384 },
  'ecdsa-p521': { oid: oids.p521, bits: 521 },
};
const curveTypes = Object.keys(curves) as readonly EcdsaType[];

/** Least size of an RSA key that anything is accepted with. */
export const leastRsaBits = 2_048;
/** As OpenSSH's SSH_RSA_MAXIMUM_MODULUS_SIZE: beyond it a signature check is a way to burn our processor. */
const mostRsaBits = 16_384;

const magnitudeBits = (magnitude: Uint8Array): number =>
  magnitude.length * 8 - Math.clz32(magnitude[0] ?? 0) + 24;

/** Size of a key in bits, as `ssh-keygen -l` tells it. */
export function keyBits(parts: PublicKeyParts): number {
  if (parts.type === 'rsa') return magnitudeBits(parts.modulus);
  return parts.type === 'ed25519' ? 256 : curves[parts.type].bits;
}

/**
 * Is the key one that we accept? RSA of `least` (2048) to 16384 bits with an odd modulus and an odd exponent of 3 to
 * 64 bits' length; a point of the curve.
 *
 * @returns the same parts; `key-unsupported` for a size out of bounds, `key-malformed` for numbers that are no key
 */
export function checkPublicKey(parts: PublicKeyParts, least = leastRsaBits): Result<PublicKeyParts> {
  if (parts.type === 'rsa') {
    const bits = keyBits(parts);
    if (bits < least) return refuse('key-unsupported', `RSA of ${bits} bits; at least ${least}`);
    if (bits > mostRsaBits) return refuse('key-unsupported', `RSA of ${bits} bits; at most ${mostRsaBits}`);
    const { modulus, exponent } = parts;
    const odd = ((modulus.at(-1) ?? 0) & (exponent.at(-1) ?? 0) & 1) === 1;
    const exponentFits = exponent.length <= 8 && (exponent.length > 1 || (exponent[0] ?? 0) >= 3);
    return odd && exponentFits ? ok(parts) : refuse('key-malformed', 'these numbers are no RSA key');
  }
  if (parts.type === 'ed25519') {
    return parts.point.length === 32 ? ok(parts) : refuse('key-malformed', 'an Ed25519 key has 32 bytes');
  }
  return isOnCurve(parts.type, parts.point)
    ? ok(parts)
    : refuse('key-malformed', 'not an uncompressed point of its curve');
}

function readSpki(spki: Bytes): PublicKeyParts | { readonly unsupported: string } {
  const whole = new DerReader(spki);
  const info = whole.inside(tags.sequence);
  whole.finish();
  const algorithm = info.inside(tags.sequence);
  const oid = oidText(algorithm.next(tags.oid));
  const key = copyOf(bitStringOctets(info.next(tags.bitString)));
  info.finish();
  switch (oid) {
    case oids.rsaEncryption: {
      if (algorithm.next(tags.null).content.length !== 0) throw new DerError('not a null');
      algorithm.finish();
      const outer = new DerReader(key);
      const numbers = outer.inside(tags.sequence);
      outer.finish();
      const modulus = copyOf(positiveInteger(numbers.next(tags.integer)));
      const exponent = copyOf(positiveInteger(numbers.next(tags.integer)));
      numbers.finish();
      return { type: 'rsa', modulus, exponent };
    }
    case oids.ecPublicKey: {
      const named = algorithm.optional(tags.oid);
      if (!named) return { unsupported: 'elliptic curve without a name' };
      algorithm.finish();
      const curve = oidText(named);
      const type = curveOfOid(curve);
      return type ? { type, point: key } : { unsupported: `elliptic curve ${curve}` };
    }
    case oids.ed25519:
      algorithm.finish();
      return { type: 'ed25519', point: key };
    case oids.dsa:
      return { unsupported: 'DSA' };
    default:
      return { unsupported: `key algorithm ${oid}` };
  }
}

/**
 * Takes a SubjectPublicKeyInfo apart (RFC 3279, RFC 5480, RFC 8410).
 *
 * @param spki DER
 * @param least bits of an RSA key; lower than 2048 only where a zone imports what it cannot replace yet
 * @returns the key; `key-malformed`, or `key-unsupported` for a kind or size that we do not accept
 */
export function parseSpki(spki: Uint8Array, least = leastRsaBits): Result<PublicKeyParts> {
  const read = tryDer(spki, readSpki);
  if (read instanceof DerError) return refuse('key-malformed', read.message);
  return 'unsupported' in read ? refuse('key-unsupported', read.unsupported) : checkPublicKey(read, least);
}

/** AlgorithmIdentifier of a key, the same for its public and its private half. */
export function keyAlgorithm(type: PublicKeyParts['type']): Bytes {
  switch (type) {
    case 'rsa':
      return encode(tags.sequence, encodeOid(oids.rsaEncryption), encode(tags.null));
    case 'ed25519':
      return encode(tags.sequence, encodeOid(oids.ed25519));
    default:
      return encode(tags.sequence, encodeOid(oids.ecPublicKey), encodeOid(curves[type].oid));
  }
}

/** Curve of a named one's object identifier. */
export const curveOfOid = (oid: string): EcdsaType | undefined =>
  curveTypes.find((candidate) => curves[candidate].oid === oid);

/** DER SubjectPublicKeyInfo of a key. */
export function encodeSpki(parts: PublicKeyParts): Bytes {
  const algorithm = keyAlgorithm(parts.type);
  if (parts.type !== 'rsa') return encode(tags.sequence, algorithm, encodeBitString(parts.point));
  const numbers = [parts.modulus, parts.exponent].map(encodePositiveInteger);
  return encode(tags.sequence, algorithm, encodeBitString(encode(tags.sequence, ...numbers)));
}
