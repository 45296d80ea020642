import { type Bytes, concat, copyOf } from '@sallyport/bytes';
import { FaultError } from '@sallyport/faults';
import type { KeyType } from '@sallyport/model';
import { encode, encodeOid, encodePositiveInteger, tags } from './der.ts';
import { signingAlgorithm } from './key-pair.ts';
import { oids } from './oids.ts';

/** AlgorithmIdentifiers of what `signingAlgorithm` makes (RFC 4055, RFC 5758, RFC 8410). */
const identifiers: Readonly<Record<KeyType, { readonly oid: string; readonly withNull: boolean }>> = {
  rsa: { oid: oids.sha256WithRsa, withNull: true },
  'ecdsa-p256': { oid: oids.ecdsaWithSha256, withNull: false },
  'ecdsa-p384': { oid: oids.ecdsaWithSha384, withNull: false },
  'ecdsa-p521': { oid: oids.ecdsaWithSha512, withNull: false },
  ed25519: { oid: oids.ed25519, withNull: false },
};

/** DER AlgorithmIdentifier of the signatures of a key type. */
export function signatureIdentifier(type: KeyType): Bytes {
  const { oid, withNull } = identifiers[type];
  return encode(tags.sequence, encodeOid(oid), ...(withNull ? [encode(tags.null)] : []));
}

function withoutZeros(number: Uint8Array): Uint8Array {
  let start = 0;
  while (start < number.length - 1 && number[start] === 0) start++;
  return number.subarray(start);
}

/** The two numbers of an ECDSA signature, from WebCrypto's fixed width. */
export function ecdsaNumbers(signature: Uint8Array): readonly [r: Uint8Array, s: Uint8Array] {
  const half = signature.length / 2;
  return [withoutZeros(signature.subarray(0, half)), withoutZeros(signature.subarray(half))];
}

/**
 * Signs a message as WebCrypto does: ECDSA in fixed width.
 *
 * @param privateKey PKCS#8 DER of that type
 * @param hash for RSA; default SHA-256
 * @throws FaultError `key-mismatch` for a key of another type
 */
export async function signMessage(
  privateKey: Bytes,
  type: KeyType,
  message: Bytes,
  hash: 'SHA-256' | 'SHA-512' = 'SHA-256',
): Promise<Bytes> {
  const { key, sign } = signingAlgorithm(type);
  const parameters = type === 'rsa' ? { ...(key as RsaHashedImportParams), hash } : key;
  let signer: CryptoKey;
  try {
    signer = await crypto.subtle.importKey('pkcs8', privateKey, parameters, false, ['sign']);
  } catch {
    throw new FaultError({ code: 'key-mismatch', detail: `the private key is not of type ${type}` });
  }
  return copyOf(await crypto.subtle.sign(sign, signer, message));
}

/** SIGNED (RFC 5280 section 4.1.1): the signed part, the algorithm and the signature. */
export async function signedDer(tbs: Bytes, privateKey: Bytes, type: KeyType): Promise<Bytes> {
  const raw = await signMessage(privateKey, type, tbs);
  const signature =
    type === 'rsa' || type === 'ed25519'
      ? raw
      : encode(tags.sequence, ...ecdsaNumbers(raw).map((number) => encodePositiveInteger(number)));
  const bits = encode(tags.bitString, concat(Uint8Array.of(0), signature));
  return encode(tags.sequence, tbs, signatureIdentifier(type), bits);
}
