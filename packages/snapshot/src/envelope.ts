import { type Bytes, fromUtf8, toBase64Url, utf8 } from '@sallyport/bytes';
import { ok, type Result, refuse } from '@sallyport/faults';
import { calculateJwkThumbprint, FlattenedSign, flattenedVerify, importJWK, type JWK } from 'jose';
import { z } from 'zod';
import type { PublicJwk } from './documents.ts';

/** `typ` of the protected header: a signature for one kind of document is none for another. */
export type DocumentType =
  | 'sallyport-root'
  | 'sallyport-manifest'
  | 'sallyport-timestamp'
  | 'sallyport-deny-list';

const algorithm = 'Ed25519';

/** JWS JSON serialisation (RFC 7515 section 7.2.1): one payload, the signatures of one or more keys. */
const envelope = z.strictObject({
  payload: z.string(),
  signatures: z
    .array(z.strictObject({ protected: z.string(), signature: z.string() }))
    .min(1)
    .max(16),
});

/** A private key that signs; behind it a platform secret, a file or an external signer. */
export interface Signer {
  readonly keyId: string;
  sign(type: DocumentType, payload: Bytes): Promise<{ protected: string; signature: string }>;
}

/** RFC 7638 thumbprint: the key's name everywhere. */
export const keyIdOf = (jwk: PublicJwk): Promise<string> => calculateJwkThumbprint(jwk, 'sha256');

/** The public half of a private Ed25519 JWK; throws on another kind of key. */
export function publicJwkOf(jwk: JWK): PublicJwk {
  if (jwk.kty !== 'OKP' || jwk.crv !== 'Ed25519' || typeof jwk.x !== 'string') {
    throw new TypeError('not an Ed25519 JWK');
  }
  return { kty: 'OKP', crv: 'Ed25519', x: jwk.x };
}

/** A signer over a private Ed25519 JWK held in memory. */
export async function jwkSigner(privateJwk: JWK): Promise<Signer> {
  const key = await importJWK(privateJwk, algorithm);
  const keyId = await keyIdOf(publicJwkOf(privateJwk));
  return {
    keyId,
    async sign(type, payload) {
      const { protected: header, signature } = await new FlattenedSign(payload)
        .setProtectedHeader({ alg: algorithm, kid: keyId, typ: type })
        .sign(key);
      return { protected: header ?? '', signature };
    },
  };
}

/**
 * Signs a document's exact bytes with each signer.
 *
 * @returns the envelope as the text that is stored and sent; its digest is over these bytes
 */
export async function signEnvelope(
  type: DocumentType,
  document: unknown,
  signers: readonly Signer[],
): Promise<string> {
  const payload = utf8(JSON.stringify(document));
  const signatures = await Promise.all(signers.map((signer) => signer.sign(type, payload)));
  return JSON.stringify({ payload: toBase64Url(payload), signatures });
}

/** Keys that may sign, and how many of them must. */
export type Quorum = {
  readonly keys: ReadonlyMap<string, PublicJwk>;
  readonly threshold: number;
};

/**
 * Opens an envelope: bound, shape, then signatures over the exact bytes. Two signatures of one key count once.
 * What it returns is signed, not yet parsed.
 *
 * @param text the envelope as received
 * @param type the only document type that is accepted
 * @param maxBytes bound of the text in UTF-8 bytes
 * @returns the payload bytes; `snapshot-oversize`, `snapshot-envelope` or `snapshot-signer`
 */
export async function openEnvelope(
  text: string,
  type: DocumentType,
  quorum: Quorum,
  maxBytes: number,
): Promise<Result<Bytes>> {
  if (text.length > maxBytes || utf8(text).length > maxBytes) return refuse('snapshot-oversize');
  const parsed = parseJson(text, envelope);
  if (!parsed.ok) return refuse('snapshot-envelope', parsed.fault.detail);
  const signedBy = new Set<string>();
  let payload: Bytes | undefined;
  for (const signature of parsed.value.signatures) {
    const verified = await verifySignature(parsed.value.payload, signature, type, quorum.keys);
    if (!verified) continue;
    signedBy.add(verified.keyId);
    payload = verified.payload;
  }
  if (!payload || signedBy.size < quorum.threshold) {
    return refuse('snapshot-signer', `${signedBy.size} of ${quorum.threshold} required signatures are valid`);
  }
  return ok(payload);
}

async function verifySignature(
  payload: string,
  signature: { protected: string; signature: string },
  type: DocumentType,
  keys: Quorum['keys'],
): Promise<{ keyId: string; payload: Bytes } | undefined> {
  try {
    let keyId = '';
    const verified = await flattenedVerify(
      { payload, ...signature },
      (header) => {
        const jwk = keys.get(header?.kid ?? '');
        if (!jwk || header?.typ !== type) throw new TypeError('not a key of this role');
        keyId = header.kid ?? '';
        return importJWK(jwk, algorithm);
      },
      { algorithms: [algorithm] },
    );
    return { keyId, payload: new Uint8Array(verified.payload) };
  } catch {
    // Whatever is wrong with one signature, it is one valid signature less.
    return undefined;
  }
}

/** Parses a text as JSON of a schema; the refusal says where it does not fit. */
export function parseJson<T>(text: string, schema: z.ZodType<T>): Result<T> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse('snapshot-malformed', 'not JSON');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return ok(parsed.data);
  const issue = parsed.error.issues[0];
  return refuse('snapshot-malformed', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'does not fit'}`);
}

/** As `parseJson`, from UTF-8 bytes. */
export function parseJsonBytes<T>(bytes: Uint8Array, schema: z.ZodType<T>): Result<T> {
  try {
    return parseJson(fromUtf8(bytes), schema);
  } catch {
    return refuse('snapshot-malformed', 'not UTF-8');
  }
}
