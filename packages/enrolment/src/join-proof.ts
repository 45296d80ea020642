import { type Bytes, concat, hmacSha256, utf8 } from '@sallyport/bytes';

/** What a joining node proves: that it holds the token's secret, over both of its public keys. */
export type JoinClaim = {
  readonly token: string;
  readonly name: string;
  /** Raw Ed25519 public key. */
  readonly signingKey: Bytes;
  /** Raw X25519 public key. */
  readonly sealingKey: Bytes;
};

const field = (bytes: Uint8Array): Bytes =>
  concat(Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes);

/** HMAC-SHA-256 under the token's secret; the node signs it with its new key (design section 5). */
export const joinProof = (secret: Bytes, claim: JoinClaim): Bytes =>
  hmacSha256(
    secret,
    concat(
      ...[
        utf8('sallyport/join/1'),
        utf8(claim.token),
        utf8(claim.name),
        claim.signingKey,
        claim.sealingKey,
      ].map(field),
    ),
  );
