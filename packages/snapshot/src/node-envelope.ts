import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';
import { type Bytes, canonicalJson, copyOf, fromBase64, toBase64, utf8 } from '@sallyport/bytes';
import { ok, type Result, refuse } from '@sallyport/faults';
import { z } from 'zod';
import { parseJson, parseJsonBytes } from './envelope.ts';
import { type NodeEnvelope, nodeEnvelope } from './payload.ts';

/** RFC 9180 with X25519, HKDF-SHA-256 and AES-256-GCM. */
const suite = () =>
  new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });

const info = utf8('sallyport/node-envelope/1');

/** Whom an envelope is for. */
export type EnvelopeBinding = { readonly zone: string; readonly node: string; readonly keyEpoch: number };

const additionalData = (binding: EnvelopeBinding): Bytes =>
  utf8(canonicalJson([binding.zone, binding.node, binding.keyEpoch]));

const sealed = z.strictObject({ enc: z.base64().max(64), ct: z.base64() });

/** A new X25519 key pair, raw: the private half never leaves the node. */
export async function generateSealingKey(): Promise<{ publicKey: Bytes; privateKey: Bytes }> {
  const hpke = suite();
  const pair = await hpke.kem.generateKeyPair();
  return {
    publicKey: copyOf(await hpke.kem.serializePublicKey(pair.publicKey)),
    privateKey: copyOf(await hpke.kem.serializePrivateKey(pair.privateKey)),
  };
}

/**
 * Seals an envelope to one node's raw X25519 public key; the text goes into the `nodes` tree.
 *
 * @returns the text; `key-malformed` where the key is none: it does not have 32 bytes, or every secret shared with it
 *   would be known (RFC 7748 section 6.1)
 */
export async function sealNodeEnvelope(
  binding: EnvelopeBinding,
  sealingKey: Bytes,
  content: NodeEnvelope,
): Promise<Result<string>> {
  try {
    const hpke = suite();
    const recipientPublicKey = await hpke.kem.deserializePublicKey(copyOf(sealingKey).buffer);
    const { enc, ct } = await hpke.seal(
      { recipientPublicKey, info },
      utf8(JSON.stringify(content)),
      additionalData(binding),
    );
    return ok(JSON.stringify({ enc: toBase64(copyOf(enc)), ct: toBase64(copyOf(ct)) }));
  } catch {
    return refuse('key-malformed', `the sealing key of node ${binding.node}`);
  }
}

/** Opens this node's envelope; `envelope-undecryptable` for another node's, another zone's or a damaged one. */
export async function openNodeEnvelope(
  binding: EnvelopeBinding,
  privateKey: Bytes,
  text: string,
): Promise<Result<NodeEnvelope>> {
  const parsed = parseJson(text, sealed);
  if (!parsed.ok) return refuse('envelope-undecryptable', 'not a sealed envelope');
  try {
    const hpke = suite();
    const recipientKey = await hpke.kem.deserializePrivateKey(copyOf(privateKey).buffer);
    const plaintext = await hpke.open(
      { recipientKey, enc: fromBase64(parsed.value.enc), info },
      fromBase64(parsed.value.ct),
      additionalData(binding),
    );
    const content = parseJsonBytes(copyOf(plaintext), nodeEnvelope);
    return content.ok ? ok(content.value) : refuse('section-malformed', `nodes: ${content.fault.detail}`);
  } catch {
    return refuse('envelope-undecryptable');
  }
}
