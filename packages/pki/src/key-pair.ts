import { type Bytes, copyOf } from '@sallyport/bytes';
import type { KeyType } from '@sallyport/model';
import { parseSpki } from './public-key.ts';

/** The kinds of key that we make. */
export type GeneratedKeyType =
  | 'ed25519'
  | 'ecdsa-p256'
  | 'ecdsa-p384'
  | 'ecdsa-p521'
  | 'rsa-2048'
  | 'rsa-3072'
  | 'rsa-4096';

/** A private key as PKCS#8 DER and its public side as DER SubjectPublicKeyInfo. */
export type KeyPair = { readonly privateKey: Bytes; readonly spki: Bytes };

/** Parameters of a WebCrypto import and of a signature. */
export type SigningAlgorithm = {
  readonly key: AlgorithmIdentifier & (RsaHashedImportParams | EcKeyImportParams | Algorithm);
  readonly sign: AlgorithmIdentifier & (EcdsaParams | Algorithm);
};

const signingAlgorithms: Readonly<Record<KeyType, SigningAlgorithm>> = {
  rsa: {
    key: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
    sign: { name: 'RSASSA-PKCS1-v1_5' },
  },
  'ecdsa-p256': {
    key: { name: 'ECDSA', namedCurve: 'P-256' },
    sign: { name: 'ECDSA', hash: 'SHA-256' },
  },
  'ecdsa-p384': {
    key: { name: 'ECDSA', namedCurve: 'P-384' },
    sign: { name: 'ECDSA', hash: 'SHA-384' },
  },
  'ecdsa-p521': {
    key: { name: 'ECDSA', namedCurve: 'P-521' },
    sign: { name: 'ECDSA', hash: 'SHA-512' },
  },
  ed25519: { key: { name: 'Ed25519' }, sign: { name: 'Ed25519' } },
};

/** How WebCrypto signs with a key of a type: the hash that fits its strength. */
export const signingAlgorithm = (type: KeyType): SigningAlgorithm => signingAlgorithms[type];

function generationOf(type: GeneratedKeyType): RsaHashedKeyGenParams | EcKeyGenParams | Algorithm {
  switch (type) {
    case 'rsa-2048':
    case 'rsa-3072':
    case 'rsa-4096':
      return {
        name: 'RSASSA-PKCS1-v1_5',
        hash: 'SHA-256',
        modulusLength: Number(type.slice('rsa-'.length)),
        publicExponent: Uint8Array.of(1, 0, 1),
      };
    default:
      return signingAlgorithms[type].key as EcKeyGenParams | Algorithm;
  }
}

/**
 * Makes a key pair from the runtime's random numbers. RSA takes its time: about 0.1 s for 2048 bits, up to seconds
 * for 4096.
 *
 * @returns PKCS#8 DER and DER SubjectPublicKeyInfo
 */
export async function generateKeyPair(type: GeneratedKeyType): Promise<KeyPair> {
  const pair = (await crypto.subtle.generateKey(generationOf(type), true, [
    'sign',
    'verify',
  ])) as CryptoKeyPair;
  return {
    privateKey: copyOf(await crypto.subtle.exportKey('pkcs8', pair.privateKey)),
    spki: copyOf(await crypto.subtle.exportKey('spki', pair.publicKey)),
  };
}

/**
 * Does the private key belong to the public one? It signs a probe that the public key verifies.
 *
 * @param spki DER SubjectPublicKeyInfo
 * @param pkcs8 PKCS#8 DER
 * @returns false too for bytes that are no key or a kind that we do not accept
 */
export async function privateKeyMatches(spki: Bytes, pkcs8: Bytes): Promise<boolean> {
  const parts = parseSpki(spki);
  if (!parts.ok) return false;
  const { key, sign } = signingAlgorithm(parts.value.type);
  const probe = crypto.getRandomValues(new Uint8Array(32));
  try {
    const privateKey = await crypto.subtle.importKey('pkcs8', pkcs8, key, false, ['sign']);
    const publicKey = await crypto.subtle.importKey('spki', spki, key, false, ['verify']);
    const signature = await crypto.subtle.sign(sign, privateKey, probe);
    return await crypto.subtle.verify(sign, publicKey, signature, probe);
  } catch {
    // The runtimes name an unusable key with DataError, OperationError or TypeError; it does not match.
    return false;
  }
}
