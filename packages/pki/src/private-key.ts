import { type Bytes, concat, copyOf, fromBase64Url, toHex } from '@sallyport/bytes';
import { FaultError, unwrap } from '@sallyport/faults';
import type { PublicKeyFacts } from '@sallyport/model';
import {
  bitStringOctets,
  contextConstructed,
  contextPrimitive,
  DerError,
  DerReader,
  encode,
  encodePositiveInteger,
  oidText,
  positiveInteger,
  sameBytes,
  smallInteger,
  tags,
} from './der.ts';
import { curveOfPoint, type EcdsaType, fieldBytes } from './elliptic-curve.ts';
import { keyFacts } from './key-facts.ts';
import { signingAlgorithm } from './key-pair.ts';
import { oids } from './oids.ts';
import {
  checkPublicKey,
  curveOfOid,
  encodeSpki,
  keyAlgorithm,
  leastRsaBits,
  type PublicKeyParts,
} from './public-key.ts';

/** A private key taken apart. Magnitudes are big-endian without leading zeros. */
export type PrivateKeyParts =
  | {
      readonly type: 'rsa';
      readonly modulus: Bytes;
      readonly exponent: Bytes;
      readonly d: Bytes;
      readonly p: Bytes;
      readonly q: Bytes;
      /** q⁻¹ mod p. */
      readonly coefficient: Bytes;
    }
  /** `scalar` in the curve's width; `point` where the file states it. */
  | { readonly type: EcdsaType; readonly scalar: Bytes; readonly point?: Bytes | undefined }
  | { readonly type: 'ed25519'; readonly seed: Bytes; readonly point?: Bytes | undefined };

/** A private key that was proved to belong to its public one. */
export type PrivateKey = {
  /** PKCS#8 DER (RFC 5958 version 1). */
  readonly pkcs8: Bytes;
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Bytes;
  readonly facts: PublicKeyFacts;
};

const unsupported = (what: string): never => {
  throw new FaultError({ code: 'key-unsupported', detail: what });
};
const malformed = (what: string): FaultError => new FaultError({ code: 'key-malformed', detail: what });

/** Fills a magnitude up to a width; DerError where it is longer. */
export function inWidth(magnitude: Uint8Array, width: number): Bytes {
  let start = 0;
  while (start < magnitude.length - width && magnitude[start] === 0) start++;
  const digits = magnitude.subarray(start);
  if (digits.length > width) throw new DerError('a number is too long for its curve');
  return concat(new Uint8Array(width - digits.length), digits);
}

/** RSAPrivateKey (RFC 8017 appendix A.1.2). Throws DerError; FaultError for more than two primes. */
export function readPkcs1(der: Bytes): PrivateKeyParts {
  const whole = new DerReader(der);
  const fields = whole.inside(tags.sequence);
  whole.finish();
  if (smallInteger(fields.next(tags.integer)) !== 0) return unsupported('RSA of more than two primes');
  const number = (): Bytes => copyOf(positiveInteger(fields.next(tags.integer)));
  const [modulus, exponent, d, p, q] = [number(), number(), number(), number(), number()];
  // d mod (p-1) and d mod (q-1) follow from the others, and are made anew on writing.
  number();
  number();
  const coefficient = number();
  fields.finish();
  return { type: 'rsa', modulus, exponent, d, p, q, coefficient };
}

/**
 * ECPrivateKey (RFC 5915).
 *
 * @param outer curve that the file around it names
 */
export function readSec1(der: Bytes, outer?: EcdsaType): PrivateKeyParts {
  const whole = new DerReader(der);
  const fields = whole.inside(tags.sequence);
  whole.finish();
  if (smallInteger(fields.next(tags.integer)) !== 1) throw new DerError('unknown version');
  const scalar = fields.next(tags.octetString).content;
  const parameters = fields.optional(contextConstructed(0));
  const publicKey = fields.optional(contextConstructed(1));
  fields.finish();
  let type = outer;
  if (parameters) {
    const named = new DerReader(parameters.content);
    const oid = named.optional(tags.oid);
    if (!oid) return unsupported('elliptic curve without a name');
    named.finish();
    const inner = curveOfOid(oidText(oid));
    if (!inner) return unsupported(`elliptic curve ${oidText(oid)}`);
    if (outer && inner !== outer) throw new DerError('two curves are named');
    type = inner;
  }
  let point: Bytes | undefined;
  if (publicKey) {
    const bits = new DerReader(publicKey.content);
    point = copyOf(bitStringOctets(bits.next(tags.bitString)));
    bits.finish();
    // Compressed points (SEC 1 section 2.3.3) are derived like missing ones.
    if (point[0] === 2 || point[0] === 3) point = undefined;
  }
  // GnuTLS leaves the name out. The point has the length of one curve, and is held against the number later.
  type ??= point && curveOfPoint(point);
  if (!type) return unsupported('elliptic curve without a name');
  return { type, scalar: inWidth(scalar, fieldBytes(type)), point };
}

function readEd25519(content: Bytes): PrivateKeyParts {
  const whole = new DerReader(content);
  const seed = copyOf(whole.next(tags.octetString).content);
  whole.finish();
  if (seed.length !== 32) throw new DerError('an Ed25519 key has 32 octets');
  return { type: 'ed25519', seed };
}

const otherAlgorithms: Readonly<Record<string, string>> = {
  [oids.dsa]: 'DSA',
  [oids.rsassaPss]: 'an RSA key for PSS alone',
  '1.3.101.110': 'X25519',
  '1.3.101.111': 'X448',
  '1.3.101.113': 'Ed448',
  '1.2.840.113549.1.3.1': 'Diffie-Hellman',
};

/** PrivateKeyInfo or OneAsymmetricKey (RFC 5958). Throws DerError; FaultError `key-unsupported`. */
export function readPkcs8(der: Bytes): PrivateKeyParts {
  const whole = new DerReader(der);
  const info = whole.inside(tags.sequence);
  whole.finish();
  if (smallInteger(info.next(tags.integer)) > 1) throw new DerError('unknown version');
  const algorithm = info.inside(tags.sequence);
  const oid = oidText(algorithm.next(tags.oid));
  const content = copyOf(info.next(tags.octetString).content);
  info.optional(contextConstructed(0));
  info.optional(contextPrimitive(1));
  info.finish();
  switch (oid) {
    case oids.rsaEncryption:
      algorithm.optional(tags.null);
      algorithm.finish();
      return readPkcs1(content);
    case oids.ed25519:
      algorithm.finish();
      return readEd25519(content);
    case oids.ecPublicKey: {
      const named = algorithm.optional(tags.oid);
      if (!named) return unsupported('elliptic curve without a name');
      algorithm.finish();
      const type = curveOfOid(oidText(named));
      return type ? readSec1(content, type) : unsupported(`elliptic curve ${oidText(named)}`);
    }
    default:
      return unsupported(otherAlgorithms[oid] ?? `key algorithm ${oid}`);
  }
}

const numberOf = (magnitude: Uint8Array): bigint => BigInt(`0x0${toHex(magnitude)}`);

function magnitudeOf(number: bigint): Bytes {
  const hex = number.toString(16);
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  return Uint8Array.from(even.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

type RsaParts = Extract<PrivateKeyParts, { type: 'rsa' }>;

/** RSAPrivateKey; throws FaultError where the numbers are not one key (RFC 8017 section 3.2). */
function encodePkcs1(parts: RsaParts): Bytes {
  const { modulus, exponent, d, p, q, coefficient } = parts;
  // The size of the modulus was checked: numbers beyond it would only keep us calculating.
  if ([d, p, q, coefficient].some((number) => number.length > modulus.length)) {
    throw malformed('the numbers of this RSA key do not belong together');
  }
  const [n, e, secret, first, second, inverse] = [modulus, exponent, d, p, q, coefficient].map(numberOf) as [
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  const [lessFirst, lessSecond] = [first - 1n, second - 1n];
  const fits =
    lessFirst > 0n &&
    lessSecond > 0n &&
    first * second === n &&
    (secret * e) % lessFirst === 1n &&
    (secret * e) % lessSecond === 1n &&
    (inverse * second) % first === 1n;
  if (!fits) throw malformed('the numbers of this RSA key do not belong together');
  return encode(
    tags.sequence,
    encode(tags.integer, Uint8Array.of(0)),
    ...[
      modulus,
      exponent,
      d,
      p,
      q,
      magnitudeOf(secret % lessFirst),
      magnitudeOf(secret % lessSecond),
      coefficient,
    ].map(encodePositiveInteger),
  );
}

const privateKeyInfo = (type: PublicKeyParts['type'], content: Bytes): Bytes =>
  encode(
    tags.sequence,
    encode(tags.integer, Uint8Array.of(0)),
    keyAlgorithm(type),
    encode(tags.octetString, content),
  );

const ecPrivateKey = (scalar: Bytes, point?: Bytes): Bytes =>
  encode(
    tags.sequence,
    encode(tags.integer, Uint8Array.of(1)),
    encode(tags.octetString, scalar),
    ...(point ? [encode(contextConstructed(1), encode(tags.bitString, Uint8Array.of(0), point))] : []),
  );

/** The public point of a private number, from the runtime. */
async function derivedPoint(parts: Exclude<PrivateKeyParts, RsaParts>): Promise<Bytes> {
  const bare = parts.type === 'ed25519' ? encode(tags.octetString, parts.seed) : ecPrivateKey(parts.scalar);
  let jwk: JsonWebKey;
  try {
    const { key } = signingAlgorithm(parts.type);
    const imported = await crypto.subtle.importKey('pkcs8', privateKeyInfo(parts.type, bare), key, true, [
      'sign',
    ]);
    jwk = await crypto.subtle.exportKey('jwk', imported);
  } catch {
    // The runtimes name a number out of range with DataError or OperationError.
    throw malformed('the private number is none of its curve');
  }
  const x = fromBase64Url(jwk.x ?? '');
  return parts.type === 'ed25519' ? x : concat(Uint8Array.of(4), x, fromBase64Url(jwk.y ?? ''));
}

/**
 * Proves that a private key belongs together and writes it in one form.
 *
 * @param least bits of an RSA key
 * @throws FaultError `key-malformed` or `key-unsupported`
 */
export async function provePrivateKey(parts: PrivateKeyParts, least = leastRsaBits): Promise<PrivateKey> {
  let publicKey: PublicKeyParts;
  let content: Bytes;
  if (parts.type === 'rsa') {
    const { type, modulus, exponent } = parts;
    publicKey = unwrap(checkPublicKey({ type, modulus, exponent }, least));
    content = encodePkcs1(parts);
  } else {
    const point = await derivedPoint(parts);
    if (parts.point && !sameBytes(parts.point, point)) {
      throw malformed('the private key is not that of its public key');
    }
    publicKey = unwrap(checkPublicKey({ type: parts.type, point }));
    content =
      parts.type === 'ed25519' ? encode(tags.octetString, parts.seed) : ecPrivateKey(parts.scalar, point);
  }
  const spki = encodeSpki(publicKey);
  return { pkcs8: privateKeyInfo(parts.type, content), spki, facts: unwrap(keyFacts(spki, least)) };
}
