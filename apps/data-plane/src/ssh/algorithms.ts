/** Signature algorithms of client keys that can be verified; which are taken, the algorithm policy says. */
export const clientSignatureAlgorithms = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
  'ssh-rsa',
] as const;
export type ClientSignatureAlgorithm = (typeof clientSignatureAlgorithms)[number];
