import { toHex } from '@sallyport/bytes';

/** The NIST curves of SSH and X.509 (RFC 5656, RFC 5480). */
export type EcdsaType = 'ecdsa-p256' | 'ecdsa-p384' | 'ecdsa-p521';

/** y² = x³ - 3x + b over the prime field (SP 800-186 section 3.2.1). */
type Curve = { readonly prime: bigint; readonly b: bigint; readonly bytes: number };

const curves: Readonly<Record<EcdsaType, Curve>> = {
  'ecdsa-p256': {
    prime: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
    bytes: 32,
  },
  'ecdsa-p384': {
    prime: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
    bytes: 48,
  },
  'ecdsa-p521': {
    prime: 2n ** 521n - 1n,
    b: 0x051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00n,
    bytes: 66,
  },
};

/**
 * Is this an uncompressed point of the curve (SEC 1 section 2.3.4)?
 *
 * @param point 04, x, y
 */
export function isOnCurve(type: EcdsaType, point: Uint8Array): boolean {
  const { prime, b, bytes } = curves[type];
  if (point.length !== 1 + 2 * bytes || point[0] !== 4) return false;
  const x = BigInt(`0x${toHex(point.subarray(1, 1 + bytes))}`);
  const y = BigInt(`0x${toHex(point.subarray(1 + bytes))}`);
  return x < prime && y < prime && (y * y - (x * x * x - 3n * x + b)) % prime === 0n;
}

/** Octets of a coordinate and of a private number. */
export const fieldBytes = (type: EcdsaType): number => curves[type].bytes;

/** The curve whose uncompressed points have this length. */
export const curveOfPoint = (point: Uint8Array): EcdsaType | undefined =>
  (Object.keys(curves) as EcdsaType[]).find((type) => point.length === 1 + 2 * curves[type].bytes);
