import type { ClientCertificateMode } from '@sallyport/model';
import type { CredentialFact, RefusalReason } from './decide.ts';
import type { EffectivePolicy } from './effective.ts';
import type { ProofKind } from './proof-sets.ts';

export type SshMethod = 'publickey' | 'password' | 'keyboard-interactive';

const passwordMethods: readonly SshMethod[] = ['password', 'keyboard-interactive'];

const firstMethods: Readonly<Record<ClientCertificateMode, readonly SshMethod[]>> = {
  disabled: passwordMethods,
  optional: ['publickey', ...passwordMethods],
  required: ['publickey'],
};

/** The first SSH method list: it depends on the server alone, never on the login name (design section 4). */
export const firstSshMethods = (clientCertificate: ClientCertificateMode): readonly SshMethod[] =>
  firstMethods[clientCertificate];

/** `second-factor`: a code is asked for, never sent in place of a password. */
const methodsOf: Readonly<Record<ProofKind, readonly SshMethod[]>> = {
  credential: ['publickey'],
  password: passwordMethods,
  'second-factor': ['keyboard-interactive'],
};

/** The SSH methods that bring the missing proofs, after a partial success. */
export const sshMethodsFor = (missing: readonly ProofKind[]): readonly SshMethod[] => [
  ...new Set(missing.flatMap((kind) => methodsOf[kind])),
];

/** Whether the TLS handshake asks for a client certificate. */
export const requestsCertificate = (clientCertificate: ClientCertificateMode): boolean =>
  clientCertificate !== 'disabled';

/**
 * May a TLS connection go on after its handshake, before a byte of it is read?
 * A `required` listener closes without an acceptable certificate; under `reject` so does an `optional` one
 * that was shown an unacceptable one (design section 4).
 */
export function admitHandshake(
  clientCertificate: ClientCertificateMode,
  policy: Pick<EffectivePolicy, 'onInvalidCertificate'>,
  credential: CredentialFact,
): { readonly kind: 'proceed' } | { readonly kind: 'refuse'; readonly reason: RefusalReason } {
  if (clientCertificate === 'disabled' || credential.kind === 'proved') return { kind: 'proceed' };
  if (clientCertificate === 'required') {
    return {
      kind: 'refuse',
      reason: credential.kind === 'none' ? 'credential-missing' : 'credential-invalid',
    };
  }
  return credential.kind === 'invalid' && policy.onInvalidCertificate === 'reject'
    ? { kind: 'refuse', reason: 'credential-invalid' }
    : { kind: 'proceed' };
}
