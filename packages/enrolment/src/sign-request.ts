import { type Bytes, toBase64, toBase64Url } from '@sallyport/bytes';
import {
  contentDigestOf,
  type SignatureParameters,
  signatureBase,
  signatureInput,
} from './signature-base.ts';

/** Signs with a node's Ed25519 key. */
export type SignBytes = (bytes: Bytes) => Promise<Bytes>;

/**
 * Headers that sign a request of a node (RFC 9421, label `node`).
 *
 * @param request method, absolute URL and body bytes, exactly as they will be sent
 * @param signer the node's id and its key
 * @param now milliseconds since the epoch
 */
export async function signRequest(
  request: { readonly method: string; readonly url: string; readonly body?: Uint8Array },
  signer: { readonly keyId: string; readonly sign: SignBytes },
  now: number,
): Promise<Record<string, string>> {
  const parameters: SignatureParameters = {
    created: Math.floor(now / 1000),
    nonce: toBase64Url(crypto.getRandomValues(new Uint8Array(16))),
    keyId: signer.keyId,
  };
  const contentDigest = request.body === undefined ? undefined : contentDigestOf(request.body);
  const base = signatureBase({ method: request.method, targetUri: request.url, contentDigest }, parameters);
  return {
    ...(contentDigest === undefined ? {} : { 'content-digest': contentDigest }),
    'signature-input': `node=${signatureInput(parameters, contentDigest !== undefined)}`,
    signature: `node=:${toBase64(await signer.sign(base))}:`,
  };
}
