export {
  type CompiledSnapshot,
  type CrlRuleContent,
  checkAdmits,
  compile,
  type LocalCertificate,
  type RegisteredCertificate,
  type ZoneContent,
} from './compile.ts';
export { type DenyEntry, denyEntry, maxDenyEntries, signDenyList } from './deny-list.ts';
export type { BlobRef, ManifestDocument, SectionName } from './documents.ts';
export { jwkSigner, keyIdOf, publicJwkOf, type Signer } from './envelope.ts';
export { type BlobStore, sealSections } from './seal.ts';
export { sectionCipher } from './section-cipher.ts';
export { resignAfterMs, signManifest, signRoot, signTimestamp } from './sign.ts';
export { manifestDigest } from './verify.ts';
