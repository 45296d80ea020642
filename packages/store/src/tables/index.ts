export { accounts } from './accounts.ts';
export { algorithmPolicies } from './algorithm-policies.ts';
export { audit, auditHead } from './audit.ts';
export { certificateRequests } from './certificate-requests.ts';
export { certificateVersions } from './certificate-versions.ts';
export { certificateEnd, certificates } from './certificates.ts';
export { crlChunks, crlFetches, crls } from './crls.ts';
export { denyEntries, denyLists } from './deny-lists.ts';
export { events } from './events.ts';
export { hostKeyReceipts } from './host-key-receipts.ts';
export { installation } from './installation.ts';
export { joinTokens } from './join-tokens.ts';
export { lockouts } from './lockouts.ts';
export { nodes } from './nodes.ts';
export { ocspResponses } from './ocsp-responses.ts';
export { policyDocuments } from './policy-documents.ts';
export { revocations } from './revocations.ts';
export { secondFactors } from './second-factors.ts';
export { servers } from './servers.ts';
export { sessions } from './sessions.ts';
export {
  blobs,
  contentKeys,
  nodeEnvelopes,
  outbox,
  publications,
  roots,
  snapshots,
} from './snapshots.ts';
export { sshCertificates } from './ssh-certificates.ts';
export { tokens } from './tokens.ts';
export { zones } from './zones.ts';
