import type { ClientCertificateMode, ServerProtocol, ServerState, UserClass } from '@sallyport/model';
import { type EffectivePolicy, passwordRule } from './effective.ts';
import { type EntryRule, type ProofKind, proofSets } from './proof-sets.ts';
import { encryptionFor } from './ssl-entry.ts';
import { classOf } from './user-class.ts';

/** The exact reason of a refusal: for the audit log, never for the wire. */
export type RefusalReason =
  | 'server-not-running'
  | 'tls-required'
  | 'unknown-account'
  | 'account-disabled'
  | 'account-locked'
  | 'password-wrong'
  | 'credential-missing'
  | 'credential-invalid'
  | 'credential-foreign'
  | 'certificate-required-not-requested'
  | 'rules-admit-nobody';

/**
 * A client credential as far as it has been proved.
 * `proved`: the key holder was verified, and for X.509 the certificate judged, before anyone called it this.
 */
export type CredentialFact =
  | { readonly kind: 'none' }
  /** Shown, but not acceptable; `reason` is for the audit log. */
  | { readonly kind: 'invalid'; readonly reason: string }
  | {
      readonly kind: 'proved';
      /** Accounts that it is registered on, with the certificate resource that says so. */
      readonly registrations: readonly {
        readonly account: string;
        readonly accountName: string;
        readonly certificate: string;
      }[];
    };

/** What a password came to. `failed` covers an account that has none. */
export type PasswordFact = 'absent' | 'verified' | 'failed';

export type AccountFacts = {
  readonly id: string;
  readonly groups: readonly string[];
  readonly enabled: boolean;
  readonly locked: boolean;
};

export type ServerFacts = {
  readonly protocol: ServerProtocol;
  readonly state: ServerState;
  readonly clientCertificate: ClientCertificateMode;
  /** SSH only; `default` elsewhere. */
  readonly clientPassword: 'default' | 'disabled';
};

/** Everything a login decision rests on. */
export type LoginFacts = {
  readonly server: ServerFacts;
  readonly policy: EffectivePolicy;
  readonly channel: 'encrypted' | 'clear';
  /** Login name, normalised. */
  readonly name: string;
  /** IP address of the client. */
  readonly source: string;
  /** The account of that name in this zone. */
  readonly account: AccountFacts | undefined;
  readonly password: PasswordFact;
  readonly credential: CredentialFact;
};

export type Decision =
  | {
      readonly kind: 'permit';
      readonly proofs: readonly ProofKind[];
      /** The certificate resource of the credential that was proved and registered. */
      readonly certificate?: string;
      readonly userClass?: string;
      /** A certificate that was shown and not acceptable, though a password let the login in. */
      readonly ignoredCredential?: 'credential-invalid' | 'credential-foreign';
    }
  | { readonly kind: 'continue'; readonly missing: readonly ProofKind[]; readonly partial: boolean }
  | { readonly kind: 'refuse'; readonly reason: RefusalReason };

/** The rule a login falls under: the server's, with `optional` raised to `required` by the account's class. */
export function entryRule(
  server: ServerFacts,
  policy: EffectivePolicy,
  userClass: UserClass | undefined,
): EntryRule | 'certificate-required-not-requested' {
  const classRequires =
    userClass !== undefined && policy.loginSettings.certificateClasses.includes(userClass.id);
  if (classRequires && server.clientCertificate === 'disabled') return 'certificate-required-not-requested';
  return {
    clientCertificate: classRequires ? 'required' : server.clientCertificate,
    password: passwordRule(policy.loginSettings, userClass),
    clientPassword: server.clientPassword,
  };
}

/** What the credential is to this account. Under `disabled` it is not looked at. */
function credentialFor(
  facts: LoginFacts,
  mode: ClientCertificateMode,
): { readonly standing: 'none' | 'invalid' | 'foreign' | 'own'; readonly certificate?: string } {
  if (mode === 'disabled' || facts.credential.kind === 'none') return { standing: 'none' };
  if (facts.credential.kind === 'invalid') return { standing: 'invalid' };
  const own = facts.credential.registrations.find(
    (registration) => registration.account === facts.account?.id,
  );
  return own ? { standing: 'own', certificate: own.certificate } : { standing: 'foreign' };
}

/**
 * Decides a login: the one function that every protocol and `explain` ask (design section 4).
 * Pure: the same facts give the same decision. Nothing is proved here; adapters prove, this permits.
 *
 * @returns `permit` with the proofs it rests on; `continue` with the proofs still missing, `partial` where one is
 *   already there; or `refuse` with the exact reason
 */
export function decide(facts: LoginFacts): Decision {
  const { server, policy, account } = facts;
  const refuse = (reason: RefusalReason): Decision => ({ kind: 'refuse', reason });

  if (server.state !== 'running') return refuse('server-not-running');
  if (
    facts.channel === 'clear' &&
    encryptionFor(policy.sslEntries, policy.userClasses, { name: facts.name, source: facts.source }) ===
      'required'
  ) {
    return refuse('tls-required');
  }
  if (!account) {
    // An unknown name goes on exactly as a known one would, up to its first proof.
    const proofShown = facts.password !== 'absent' || facts.credential.kind === 'proved';
    return proofShown
      ? refuse('unknown-account')
      : { kind: 'continue', missing: ['password'], partial: false };
  }

  const found = classOf(policy.userClasses, {
    name: facts.name,
    source: facts.source,
    groups: account.groups,
  });
  const userClass = found === 'undetermined' ? undefined : found;
  const rule = entryRule(server, policy, userClass);
  if (rule === 'certificate-required-not-requested') return refuse(rule);
  const sets = proofSets(rule);
  if (sets.length === 0) return refuse('rules-admit-nobody');

  const { standing, certificate } = credentialFor(facts, rule.clientCertificate);
  const credentialIsBad = standing === 'invalid' || standing === 'foreign';
  const badReason = standing === 'foreign' ? 'credential-foreign' : 'credential-invalid';
  if (facts.password === 'failed') return refuse('password-wrong');
  if (
    credentialIsBad &&
    (rule.clientCertificate === 'required' || policy.onInvalidCertificate === 'reject')
  ) {
    return refuse(badReason);
  }

  const proved: ProofKind[] = [];
  if (facts.password === 'verified') proved.push('password');
  if (standing === 'own') proved.push('credential');
  if (proved.length > 0) {
    if (!account.enabled) return refuse('account-disabled');
    if (account.locked) return refuse('account-locked');
  }
  if (sets.some((set) => set.every((kind) => proved.includes(kind)))) {
    return {
      kind: 'permit',
      proofs: proved,
      ...(certificate === undefined ? {} : { certificate }),
      ...(userClass === undefined ? {} : { userClass: userClass.id }),
      ...(credentialIsBad ? { ignoredCredential: badReason } : {}),
    };
  }
  const missing = [...new Set(sets.flat())].filter((kind) => !proved.includes(kind));
  // Over TLS a certificate comes with the handshake or not at all.
  if (server.protocol !== 'ssh' && sets.every((set) => set.includes('credential')) && standing !== 'own') {
    return refuse('credential-missing');
  }
  return { kind: 'continue', missing, partial: proved.length > 0 };
}
