import { type Bytes, sha256Hex, toBase64, utf8 } from '@sallyport/bytes';
import type { CompiledSnapshot, CrlChunk, CrlRuleContent } from './compile.ts';
import type { BlobRef, ManifestDocument, SectionName } from './documents.ts';
import { nodeIndexKey } from './index-key.ts';
import { sealNodeEnvelope } from './node-envelope.ts';
import type { CrlRule, RevocationSection } from './payload.ts';
import type { SectionCipher } from './section-cipher.ts';
import { buildTree, refOf } from './tree.ts';

/** Ciphertexts of earlier versions of the zone's current key epoch, by keyed fingerprint of their plaintext. */
export interface BlobStore {
  /** The stored blob with that fingerprint, if it is there. */
  find(section: SectionName, fingerprint: string): Promise<BlobRef | undefined>;
  /** Keeps a new blob. `fingerprint` is absent for blobs that are not encrypted: their digest is enough. */
  put(section: SectionName, ref: BlobRef, stored: Bytes, fingerprint: string | undefined): Promise<void>;
  /** The envelope sealed earlier for that node and that content. */
  findEnvelope(node: string, fingerprint: string): Promise<string | undefined>;
  putEnvelope(node: string, fingerprint: string, envelope: string): Promise<void>;
}

/**
 * Encrypts what has changed and reuses what has not: equal plaintext, same ciphertext, same address.
 *
 * @param randomBytes source of the 12-byte nonces
 * @returns the addresses for the manifest, all of them in the blob store
 */
export async function sealSections(
  compiled: CompiledSnapshot,
  contentKey: Bytes,
  cipher: SectionCipher,
  blobs: BlobStore,
  randomBytes: (length: number) => Bytes,
): Promise<ManifestDocument['sections']> {
  const encrypted = async (section: SectionName, plaintext: Bytes): Promise<BlobRef> => {
    const fingerprint = cipher.fingerprint(section, plaintext);
    const known = await blobs.find(section, fingerprint);
    if (known) return known;
    const stored = await cipher.encrypt(section, plaintext, randomBytes(12));
    const ref = refOf(stored);
    await blobs.put(section, ref, stored, fingerprint);
    return ref;
  };
  const document = (section: SectionName, value: unknown) => encrypted(section, utf8(JSON.stringify(value)));
  const chunk = async ({ sha256, load }: CrlChunk): Promise<BlobRef> => {
    // Known by its digest, so that a chunk that the zone has is not even read.
    const fingerprint = cipher.fingerprint('revocation', utf8(`chunk ${sha256}`));
    const known = await blobs.find('revocation', fingerprint);
    if (known) return known;
    const stored = await cipher.encrypt('revocation', await load(), randomBytes(12));
    const ref = refOf(stored);
    await blobs.put('revocation', ref, stored, fingerprint);
    return ref;
  };
  const rule = async ({ list, ...ruled }: CrlRuleContent): Promise<CrlRule> => {
    if (!list) return ruled;
    const chunks: BlobRef[] = [];
    for (const one of list.chunks) chunks.push(await chunk(one));
    return { ...ruled, list: { ...list, chunks } };
  };

  const envelopes = new Map<string, string>();
  for (const { id, sealingKey, content } of compiled.nodes) {
    const whole = { ...content, contentKey: toBase64(contentKey) };
    const fingerprint = cipher.fingerprint('nodes', utf8(JSON.stringify([sha256Hex(sealingKey), whole])));
    let envelope = await blobs.findEnvelope(id, fingerprint);
    if (envelope === undefined) {
      const binding = { zone: cipher.zone, node: id, keyEpoch: cipher.keyEpoch };
      const sealed = await sealNodeEnvelope(binding, sealingKey, whole);
      // A node with an unusable key must not keep the others from their news; it will report that it has no envelope.
      if (!sealed.ok) continue;
      envelope = sealed.value;
      await blobs.putEnvelope(id, fingerprint, envelope);
    }
    envelopes.set(nodeIndexKey(id), envelope);
  }

  return {
    servers: await document('servers', compiled.servers),
    policy: await document('policy', compiled.policy),
    trust: await document('trust', compiled.trust),
    revocation: await document('revocation', {
      revoked: compiled.revocation.revoked,
      sshCertificates: compiled.revocation.sshCertificates,
      rules: await Promise.all(compiled.revocation.rules.map(rule)),
    } satisfies RevocationSection),
    accounts: await buildTree(compiled.accounts, (plaintext) => encrypted('accounts', plaintext)),
    credentials: await buildTree(compiled.credentials, (plaintext) => encrypted('credentials', plaintext)),
    nodes: await buildTree(envelopes, async (plaintext) => {
      const ref = refOf(plaintext);
      await blobs.put('nodes', ref, plaintext, undefined);
      return ref;
    }),
  };
}
