export { addressIn } from './address.ts';
export {
  type AccountFacts,
  type CredentialFact,
  type Decision,
  decide,
  entryRule,
  type LoginFacts,
  type PasswordFact,
  type RefusalReason,
  type SecondFactorFact,
  type ServerFacts,
} from './decide.ts';
export { type EffectivePolicy, effectivePolicy, type GlobalPolicy, passwordRule } from './effective.ts';
export {
  admitHandshake,
  firstSshMethods,
  requestsCertificate,
  type SshMethod,
  sshMethodsFor,
} from './handshake.ts';
export { type EntryRule, type ProofKind, type ProofSet, proofSets } from './proof-sets.ts';
export { type Redecision, redecide, type SessionEnd, type SessionFacts } from './redecide.ts';
export { encryptionFor } from './ssl-entry.ts';
export { type ClassFacts, classOf, matchesPattern } from './user-class.ts';
