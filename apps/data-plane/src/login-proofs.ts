import type { CredentialFact, PasswordFact, SecondFactorFact } from '@sallyport/policy';
import type { CredentialStands } from './login.ts';
import type { SshCertificateFacts } from './ssh-certificate-login.ts';

/** What an attempt has proved for one user name. */
export type Proofs = {
  user: string;
  password: PasswordFact;
  passwordHash: string | undefined;
  secondFactor: SecondFactorFact;
  /** Secret that the code was of. */
  secondFactorSecret: string | undefined;
  sshKey: Proved | undefined;
};
export type Proved = {
  readonly fact: CredentialFact;
  readonly stands: CredentialStands;
  readonly fingerprint: string;
  readonly sshCertificate?: SshCertificateFacts;
};

export const noProofs = (user: string): Proofs => ({
  user,
  password: 'absent',
  passwordHash: undefined,
  secondFactor: 'absent',
  secondFactorSecret: undefined,
  sshKey: undefined,
});
