export {
  type AccountRow,
  allAccounts,
  deleteAccount,
  findAccount,
  findAccountKeyed,
  findAccounts,
  findAccountsKeyed,
  insertAccount,
  listAccounts,
  updateAccount,
} from './accounts.ts';
export {
  customAlgorithmPolicies,
  deleteAlgorithmPolicy,
  insertAlgorithmPolicy,
  updateAlgorithmPolicy,
} from './algorithm-policies.ts';
export {
  type AuditEntry,
  type AuditHead,
  appendAudit,
  auditHash,
  emptyHash,
  firstBrokenRow,
  listAudit,
  readAuditHead,
} from './audit.ts';
export { type AccountCount, accountsBelowCa, accountsInZones, localsBelowCa } from './blast-radius.ts';
export {
  activeCertificateAuthority,
  certificatesNaming,
  listCertificateAuthorities,
} from './certificate-authorities.ts';
export {
  type Anchors,
  type CertificateFilter,
  certificatesEnding,
  listCertificates,
  type StatusCircumstances,
} from './certificate-list.ts';
export {
  type CertificateRequestRow,
  deleteCertificateRequest,
  deleteCertificateRequestsOf,
  findCertificateRequest,
  findCertificateRequestAlias,
  insertCertificateRequest,
  listCertificateRequests,
  requestsReplacing,
} from './certificate-requests.ts';

export {
  type CertificateVersionRow,
  certificateVersionsOf,
  deleteCertificateVersion,
  findCertificateVersion,
  insertCertificateVersion,
} from './certificate-versions.ts';
export {
  type CertificateRow,
  certificateAuthorities,
  certificatesOfKinds,
  certificatesWithAliases,
  certificatesWithKey,
  certificatesWithKeys,
  certificatesWithoutFacts,
  certificatesWithSha256,
  certificatesWithSshFingerprint,
  certificatesWithSubjects,
  deleteCertificate,
  deleteCertificatesOf,
  findCertificate,
  findCertificates,
  insertCertificate,
  insertCertificates,
  loginCertificatesIn,
  loginCertificatesOf,
  loginsIssuedBy,
  updateCertificate,
} from './certificates.ts';
export {
  allCrlChunks,
  allCrlFacts,
  type CrlChunkName,
  type CrlFacts,
  type CrlFetchRow,
  type CrlRow,
  claimCrlFetch,
  crlChunksOf,
  deleteCrl,
  dueCrlFetches,
  findCrl,
  findCrlChunk,
  findCrlFacts,
  findCrlFetch,
  forgetCrlFetch,
  saveCrl,
  saveCrlFetch,
} from './crls.ts';
export { type Database, databaseOver, type Queries, readingClient } from './database.ts';
export {
  countDenyEntries,
  type DenyEntryRow,
  type DenyListRow,
  denyEntriesKeyed,
  denyEntriesOf,
  findDenyList,
  insertDenyEntries,
  insertDenyEntry,
  pruneDenyEntries,
  saveDenyList,
} from './deny-lists.ts';
export { type EventRow, insertEvents, listEvents } from './events.ts';
export {
  deleteHostKeyReceipts,
  type HostKeyReceipt,
  hostKeyReceiptsOf,
  saveHostKeyReceipts,
} from './host-key-receipts.ts';
export { findInstallation, type Installation, insertInstallation } from './installation.ts';
export {
  findJoinToken,
  insertJoinToken,
  type JoinTokenRow,
  listJoinTokens,
  spendJoinToken,
} from './join-tokens.ts';
export { type KeyEncryption, keyEncryption } from './key-encryption.ts';
export {
  countLockouts,
  countLockoutsBy,
  deleteLockout,
  findLockout,
  type LockoutFilter,
  type LockoutRow,
  listLockouts,
  pruneLockouts,
  saveLockouts,
} from './lockouts.ts';
export {
  activeNodes,
  advanceEventSequence,
  findNode,
  findNodeNamed,
  insertNode,
  listNodes,
  type NodeRow,
  recordNodeStatus,
  updateNode,
} from './nodes.ts';
export { claimOcsp, type OcspRow, ocspRowsOf, saveOcsp } from './ocsp-responses.ts';
export type { Page, Reach } from './page.ts';
export {
  insertPolicyDocument,
  type PolicyBodies,
  readPolicyDocument,
  updatePolicyDocument,
} from './policy-documents.ts';
export {
  countRevokedBy,
  listRevocations,
  revocationsBy,
  revocationsOfCertificates,
} from './revocation-list.ts';
export {
  allRevocations,
  findRevocation,
  findRevokedKey,
  insertRevocation,
  type RevocationRow,
  revokedKeys,
} from './revocations.ts';
export {
  allSecondFactors,
  deleteSecondFactor,
  findSecondFactor,
  type SecondFactorRow,
  saveSecondFactor,
  secondFactorsOf,
} from './second-factors.ts';
export {
  allServers,
  deleteServer,
  findServer,
  findServerNamed,
  insertServer,
  listServers,
  serversByCertificate,
  serversOfZone,
  updateServer,
} from './servers.ts';
export {
  deleteSessionsOf,
  findSession,
  listSessions,
  replaceSessions,
  type SessionFilter,
  type SessionRow,
  sessionDenyKey,
} from './sessions.ts';
export {
  clearOutbox,
  findBlob,
  findBlobByFingerprint,
  findNodeEnvelope,
  findPublication,
  findRoot,
  findSnapshot,
  firstSnapshotAt,
  insertBlob,
  insertContentKey,
  insertRoot,
  insertSnapshot,
  listSnapshots,
  newestContentKey,
  newestRoot,
  type PublicationRow,
  pendingPublications,
  pendingSequence,
  readChangeSequence,
  replaceTimestamp,
  type SnapshotRow,
  saveNodeEnvelope,
  savePublication,
} from './snapshots.ts';
export {
  findSshCertificate,
  insertSshCertificate,
  listSshCertificates,
  liveSshLoginsOf,
  revokedSshCertificates,
  revokeSshCertificate,
  type SshCertificateRow,
} from './ssh-certificates.ts';
export {
  type Change,
  type Committed,
  createStore,
  type Store,
  type StoreOptions,
  schemaNumber,
  type WriterOrder,
} from './store.ts';
export { deleteToken, findToken, findTokenHashed, insertToken, listTokens, type TokenRow } from './tokens.ts';
export { allZones, findZone, findZoneNamed, findZones, insertZone, listZones, updateZone } from './zones.ts';
