export { type DenyListDocument, maxDenyListBytes, verifyDenyList } from './deny-list.ts';
export type { BlobRef, ManifestDocument, RootDocument, TimestampDocument } from './documents.ts';
export { type CredentialKey, nodeIndexKey } from './index-key.ts';
export { generateSealingKey } from './node-envelope.ts';
export type {
  AccountRecord,
  LoginCredential,
  NodeEnvelope,
  Registration,
  ServerRecord,
  TrustSection,
} from './payload.ts';
export { checkedBlob, type FetchBlob, openSnapshot, type SnapshotReader } from './reader.ts';
export { followRoot, loadRoot, pinRoot, rootFingerprint, type TrustedRoot } from './root.ts';
export { type Applied, manifestDigest, servingState, verifyManifest, verifyTimestamp } from './verify.ts';
