import { type Bytes, sha256, toBase64, utf8 } from '@sallyport/bytes';

/** Largest difference between the signer's clock and ours, in seconds (design section 5). */
export const maxSkewSeconds = 120;

/** What the signature of a request covers, and the parameters it was made with. */
export type SignatureParameters = {
  /** Seconds since the epoch. */
  readonly created: number;
  readonly nonce: string;
  readonly keyId: string;
};

export type SignedParts = {
  readonly method: string;
  /** Absolute URL as requested. */
  readonly targetUri: string;
  /** `content-digest` of the body; absent where the request has none. */
  readonly contentDigest: string | undefined;
};

/** `Content-Digest` of a body (RFC 9530). */
export const contentDigestOf = (body: Uint8Array): string => `sha-256=:${toBase64(sha256(body))}:`;

/**
 * The one signature profile of node requests: Ed25519 over method, target URI and, with a body, its digest.
 * Fixed on purpose: a request cannot choose to sign less (RFC 9421 section 7.2.1).
 */
export function signatureInput(parameters: SignatureParameters, hasBody: boolean): string {
  const covered = hasBody ? '("@method" "@target-uri" "content-digest")' : '("@method" "@target-uri")';
  return `${covered};created=${parameters.created};nonce="${parameters.nonce}";keyid="${parameters.keyId}";alg="ed25519"`;
}

/** The bytes that are signed (RFC 9421 section 2.5). */
export function signatureBase(parts: SignedParts, parameters: SignatureParameters): Bytes {
  const lines = [`"@method": ${parts.method.toUpperCase()}`, `"@target-uri": ${parts.targetUri}`];
  if (parts.contentDigest !== undefined) lines.push(`"content-digest": ${parts.contentDigest}`);
  lines.push(`"@signature-params": ${signatureInput(parameters, parts.contentDigest !== undefined)}`);
  return utf8(lines.join('\n'));
}
