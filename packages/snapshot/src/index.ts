export {
  type BlobRef,
  type PublicJwk,
  type RootDocument,
  type SectionName,
  sectionNames,
} from './documents.ts';
export { jwkSigner, keyIdOf, publicJwkOf, type Signer } from './envelope.ts';
export { generateSigningKey, makeFirstRoot } from './make-root.ts';
export { rootFingerprint } from './root.ts';
