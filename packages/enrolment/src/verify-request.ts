import { type Bytes, equalConstantTime, fromBase64, utf8 } from '@sallyport/bytes';
import { ok, type Result, refuse } from '@sallyport/faults';
import { contentDigestOf, maxSkewSeconds, signatureBase, signatureInput } from './signature-base.ts';

/** The raw Ed25519 public key that belongs to a key id; nothing where there is none. */
export type FindKey = (keyId: string) => Promise<Bytes | undefined>;

const inputPattern =
  /^node=(\([^)]*\));created=(\d{1,12});nonce="([A-Za-z0-9_-]{16,64})";keyid="([A-Za-z0-9_-]{1,64})";alg="ed25519"$/;
const signaturePattern = /^node=:([A-Za-z0-9+/]{86}==):$/;

/**
 * Verifies a node's signed request: exactly our signature profile, a known key, a time near ours, the body's digest.
 * Replay of a GET is harmless; POSTs carry their own increasing sequence.
 *
 * @param request headers lower-case or a Headers object; `body` undefined where the request has none
 * @param now milliseconds since the epoch
 * @returns the key id; `node-signature-invalid` or `node-clock-skew`
 */
export async function verifyRequest(
  request: {
    readonly method: string;
    readonly url: string;
    readonly headers: Headers;
    readonly body?: Uint8Array;
  },
  findKey: FindKey,
  now: number,
): Promise<Result<string>> {
  const input = inputPattern.exec(request.headers.get('signature-input') ?? '');
  const signature = signaturePattern.exec(request.headers.get('signature') ?? '');
  if (!input || !signature) return refuse('node-signature-invalid', 'no signature of our profile');
  const [, , createdText, nonce, keyId] = input as unknown as [string, string, string, string, string];
  const parameters = { created: Number(createdText), nonce, keyId };
  const hasBody = request.body !== undefined;
  if (request.headers.get('signature-input') !== `node=${signatureInput(parameters, hasBody)}`) {
    return refuse('node-signature-invalid', 'the signature does not cover what it must');
  }
  const contentDigest = hasBody ? contentDigestOf(request.body as Uint8Array) : undefined;
  if (contentDigest !== undefined) {
    const sent = utf8(request.headers.get('content-digest') ?? '');
    if (!equalConstantTime(sent, utf8(contentDigest))) {
      return refuse('node-signature-invalid', 'content-digest is not the body’s');
    }
  }
  const publicKey = await findKey(keyId);
  if (!publicKey) return refuse('node-signature-invalid', 'unknown key');
  const base = signatureBase({ method: request.method, targetUri: request.url, contentDigest }, parameters);
  if (!(await verifyEd25519(publicKey, fromBase64(signature[1] as string), base))) {
    return refuse('node-signature-invalid', 'the signature is wrong');
  }
  // After the signature, so that only a node learns that its clock is off.
  const skew = Math.abs(parameters.created - now / 1000);
  if (skew > maxSkewSeconds) return refuse('node-clock-skew', `${Math.round(skew)} s away`);
  return ok(keyId);
}

/** Verifies an Ed25519 signature (RFC 8032) with a raw public key; false also for a key that is none. */
export async function verifyEd25519(publicKey: Bytes, signature: Bytes, message: Bytes): Promise<boolean> {
  try {
    const key = await crypto.subtle.importKey('raw', publicKey, 'Ed25519', false, ['verify']);
    return await crypto.subtle.verify('Ed25519', key, signature, message);
  } catch {
    return false;
  }
}
