export { type AuthorizedKey, type AuthorizedKeyOptions, parseAuthorizedKey } from './authorized-key.ts';
export { type ParsedCertificate, parseCertificate } from './certificate.ts';
export { type KeyUsage, unknownCritical } from './extensions.ts';
export { type CertificatePurpose, createCa, type Issuer, issueCertificate } from './issue.ts';
export { keyFacts } from './key-facts.ts';
export { type GeneratedKeyType, generateKeyPair, type KeyPair, privateKeyMatches } from './key-pair.ts';
export { opensshPrivateKey } from './openssh-private-key.ts';
export { readPemCertificates, readPemPrivateKey, toPem } from './pem.ts';
export { knownHostsLine, spkiOfSshBlob, sshBlobOf, sshFingerprint, sshPublicKeyLine } from './ssh-key.ts';
