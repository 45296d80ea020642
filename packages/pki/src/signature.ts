import { type Bytes, concat } from '@sallyport/bytes';
import {
  contextConstructed,
  DerError,
  DerReader,
  oidText,
  positiveInteger,
  smallInteger,
  tags,
  tryDer,
} from './der.ts';
import { oids } from './oids.ts';
import { parseSpki } from './public-key.ts';

type Hash = 'SHA-256' | 'SHA-384' | 'SHA-512';

/** How a certificate is signed. `unsupported` covers MD5 and SHA-1, which prove nothing any more. */
export type SignatureAlgorithm =
  | { readonly kind: 'rsa-pkcs1'; readonly hash: Hash }
  | { readonly kind: 'rsa-pss'; readonly hash: Hash; readonly saltLength: number }
  | { readonly kind: 'ecdsa'; readonly hash: Hash }
  | { readonly kind: 'ed25519' }
  | { readonly kind: 'unsupported'; readonly oid: string };

const algorithms: Readonly<Record<string, SignatureAlgorithm>> = {
  [oids.sha256WithRsa]: { kind: 'rsa-pkcs1', hash: 'SHA-256' },
  [oids.sha384WithRsa]: { kind: 'rsa-pkcs1', hash: 'SHA-384' },
  [oids.sha512WithRsa]: { kind: 'rsa-pkcs1', hash: 'SHA-512' },
  [oids.ecdsaWithSha256]: { kind: 'ecdsa', hash: 'SHA-256' },
  [oids.ecdsaWithSha384]: { kind: 'ecdsa', hash: 'SHA-384' },
  [oids.ecdsaWithSha512]: { kind: 'ecdsa', hash: 'SHA-512' },
  [oids.ed25519]: { kind: 'ed25519' },
};

const hashes: Readonly<Record<string, Hash>> = {
  [oids.sha256]: 'SHA-256',
  [oids.sha384]: 'SHA-384',
  [oids.sha512]: 'SHA-512',
};

/** A hash algorithm identifier, its parameters absent or NULL (RFC 4055 section 2.1). */
function readHash(identifier: DerReader): Hash | undefined {
  const hash = hashes[oidText(identifier.next(tags.oid))];
  identifier.optional(tags.null);
  identifier.finish();
  return hash;
}

/** Octets that fit into the largest key; OpenSSL fills the key with salt unless it is told otherwise. */
const mostSalt = 2_048;

/** RSASSA-PSS-params (RFC 4055 section 3.1); the defaults are SHA-1, so what is left out is refused. */
function readPss(parameters: DerReader): SignatureAlgorithm | undefined {
  const fields = parameters.inside(tags.sequence);
  parameters.finish();
  const field = (number: number): DerReader | undefined => {
    const found = fields.optional(contextConstructed(number));
    return found && new DerReader(found.content);
  };
  const hashField = field(0)?.inside(tags.sequence);
  const mask = field(1)?.inside(tags.sequence);
  const salt = field(2)?.next(tags.integer);
  field(3);
  fields.finish();
  if (!hashField || !mask || !salt) return undefined;
  const hash = readHash(hashField);
  const maskIsMgf1 = oidText(mask.next(tags.oid)) === oids.mgf1;
  const maskHash = readHash(mask.inside(tags.sequence));
  const saltLength = smallInteger(salt);
  return hash && maskIsMgf1 && maskHash === hash && saltLength <= mostSalt
    ? { kind: 'rsa-pss', hash, saltLength }
    : undefined;
}

/**
 * Reads an AlgorithmIdentifier of a signature.
 *
 * @param content content of its sequence
 * @throws DerError
 */
export function readSignatureAlgorithm(content: Bytes): SignatureAlgorithm {
  const fields = new DerReader(content);
  const oid = oidText(fields.next(tags.oid));
  if (oid === oids.rsassaPss)
    return (fields.atEnd ? undefined : readPss(fields)) ?? { kind: 'unsupported', oid };
  const found = algorithms[oid] ?? { kind: 'unsupported', oid };
  // NULL belongs to the RSA algorithms, though some leave it out; the others have no parameters.
  if (found.kind === 'rsa-pkcs1') fields.optional(tags.null);
  if (found.kind !== 'unsupported') fields.finish();
  return found;
}

/** r and s side by side, as WebCrypto takes an ECDSA signature; nothing where it is none of the curve's size. */
function fixedWidth(signature: Bytes, width: number): Bytes | undefined {
  const read = tryDer(signature, (own) => {
    const outer = new DerReader(own);
    const numbers = outer.inside(tags.sequence);
    outer.finish();
    const r = positiveInteger(numbers.next(tags.integer));
    const s = positiveInteger(numbers.next(tags.integer));
    numbers.finish();
    return [r, s] as const;
  });
  if (read instanceof DerError || read.some((number) => number.length > width)) return undefined;
  return concat(...read.flatMap((number) => [new Uint8Array(width - number.length), number]));
}

const curveNames = {
  'ecdsa-p256': { namedCurve: 'P-256', width: 32 },
  'ecdsa-p384': { namedCurve: 'P-384', width: 48 },
  'ecdsa-p521': { namedCurve: 'P-521', width: 66 },
} as const;

/**
 * Is this the signature of that key's holder over the message?
 *
 * @param spki DER SubjectPublicKeyInfo of the signer
 * @returns false too for a key of another kind than the algorithm needs, and for what is no signature at all
 */
export async function verifySignature(
  algorithm: SignatureAlgorithm,
  spki: Bytes,
  message: Bytes,
  signature: Bytes,
): Promise<boolean> {
  const parts = parseSpki(spki);
  if (!parts.ok) return false;
  const { type } = parts.value;
  const verify = async (
    key: RsaHashedImportParams | EcKeyImportParams | Algorithm,
    how: RsaPssParams | EcdsaParams | Algorithm,
    bytes: Bytes,
  ): Promise<boolean> => {
    try {
      const imported = await crypto.subtle.importKey('spki', spki, key, false, ['verify']);
      return await crypto.subtle.verify(how, imported, bytes, message);
    } catch {
      // A key or signature that the runtime cannot take proves nothing.
      return false;
    }
  };
  switch (algorithm.kind) {
    case 'rsa-pkcs1': {
      const key = { name: 'RSASSA-PKCS1-v1_5', hash: algorithm.hash };
      return type === 'rsa' && verify(key, { name: key.name }, signature);
    }
    case 'rsa-pss': {
      const key = { name: 'RSA-PSS', hash: algorithm.hash };
      return type === 'rsa' && verify(key, { name: key.name, saltLength: algorithm.saltLength }, signature);
    }
    case 'ed25519':
      return type === 'ed25519' && verify({ name: 'Ed25519' }, { name: 'Ed25519' }, signature);
    case 'ecdsa': {
      if (type === 'rsa' || type === 'ed25519') return false;
      const { namedCurve, width } = curveNames[type];
      const bytes = fixedWidth(signature, width);
      return (
        bytes !== undefined &&
        verify({ name: 'ECDSA', namedCurve }, { name: 'ECDSA', hash: algorithm.hash }, bytes)
      );
    }
    case 'unsupported':
      return false;
  }
}
