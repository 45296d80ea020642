export {
  type AuthorizedKey,
  type AuthorizedKeyOptions,
  type HeldOption,
  parseAuthorizedKey,
} from './authorized-key.ts';
export { type ParsedCertificate, parseCertificate } from './certificate.ts';
export {
  type CertificateRequest,
  createCertificateRequest,
  issueFromRequest,
  parseCertificateRequest,
} from './certificate-request.ts';
export { createCrl } from './create-crl.ts';
export { type Crl, crlRevokes, parseCrl, type RevocationReason, type RevokedEntry } from './crl.ts';
export { maxCrlFileBytes, readCrlFile } from './crl-file.ts';
export { type Fingerprints, fingerprints } from './export/fingerprints.ts';
export type { PasswordProtection } from './export/pbes2.ts';
export { encryptedPkcs8 } from './export/pkcs8.ts';
export { pkcs12File } from './export/pkcs12.ts';
export { rfc4716PublicKey, sshfpRecord } from './export/ssh-public-key.ts';
export { type KeyUsage, unknownCritical } from './extensions.ts';
export {
  type ImportEntry,
  type ImportedMaterial,
  type ImportOptions,
  importKeyMaterial,
} from './import/import-key-material.ts';
export { type OrderedCertificates, orderChain } from './import/order-chain.ts';
export {
  type CertificateContent,
  type CertificatePurpose,
  createCa,
  type Issuer,
  issueCertificate,
  selfSignedCertificate,
} from './issue.ts';
export { issuedBy } from './issued-by.ts';
export type {
  ClientRefusal,
  ClientRefusalReason,
  IssuedCheck,
  TlsPurpose,
} from './judge-certificate.ts';
export { keyFacts } from './key-facts.ts';
export { type GeneratedKeyType, generateKeyPair, type KeyPair, privateKeyMatches } from './key-pair.ts';
export { maxOcspResponseBytes, type OcspAnswer, ocspRequest, verifyOcspResponse } from './ocsp.ts';
export { opensshPrivateKey } from './openssh-private-key.ts';
export { pemOfBase64, readPemCertificates, readPemPrivateKey, toPem, toPemChain } from './pem.ts';
export type { PrivateKey } from './private-key.ts';
export { type PathReport, type ReportedPath, reportPaths } from './report-paths.ts';
export {
  isStale,
  type RevocationList,
  type RevocationRule,
  revocationCheck,
} from './revocation-rules.ts';
export { maxSerialChunkBytes, packSerials, readSerials, type SerialSet } from './serial-set.ts';
export { type SshCertificateContent, signSshCertificate } from './sign-ssh-certificate.ts';
export { type SourcePatterns, sourceIn, sourcePatterns } from './source-patterns.ts';
export { parseSshCertificate, type SshCertificate, sshCertificateLine } from './ssh-certificate.ts';
export { knownHostsLine, spkiOfSshBlob, sshBlobOf, sshFingerprint, sshPublicKeyLine } from './ssh-key.ts';
export { encodeSubject, type SubjectName } from './subject.ts';
export { type TrustAnchors, trustAnchors } from './trust-anchors.ts';
export {
  type ClientVerdict,
  type ClientVerification,
  type CredentialLookup,
  type Registration,
  verifyClient,
} from './verify-client.ts';
export {
  type SshCertificateRefusalReason,
  type SshCertificateVerdict,
  sshCertificateSigned,
  verifyUserCertificate,
} from './verify-ssh-certificate.ts';
