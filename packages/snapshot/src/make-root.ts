import { exportJWK, generateKeyPair, type JWK } from 'jose';
import type { PublicJwk, RootDocument } from './documents.ts';
import { jwkSigner, keyIdOf, publicJwkOf } from './envelope.ts';
import { signRoot } from './sign.ts';

/** A new Ed25519 signing key as private JWK: members `kty`, `crv`, `x` and `d` alone. */
export async function generateSigningKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('Ed25519', { extractable: true });
  const { kty, crv, x, d } = await exportJWK(privateKey);
  return { kty, crv, x, d } as JWK;
}

/**
 * The first root metadata, signed by its root key: one key per role, each threshold 1.
 *
 * @returns the envelope and its version and trust epoch
 */
export async function makeFirstRoot(keys: {
  readonly root: JWK;
  readonly snapshot: JWK;
  readonly timestamp: JWK;
}): Promise<{ version: number; trustEpoch: number; envelope: string }> {
  const named: Record<string, PublicJwk> = {};
  const role = async (jwk: JWK) => {
    const publicJwk = publicJwkOf(jwk);
    const keyId = await keyIdOf(publicJwk);
    named[keyId] = publicJwk;
    return { keys: [keyId], threshold: 1 };
  };
  const roles = {
    root: await role(keys.root),
    snapshot: await role(keys.snapshot),
    timestamp: await role(keys.timestamp),
  };
  const document: RootDocument = {
    schema: 'sallyport/root/1',
    version: 1,
    trustEpoch: 1,
    keys: named,
    roles,
  };
  return { version: 1, trustEpoch: 1, envelope: await signRoot(document, [await jwkSigner(keys.root)]) };
}
