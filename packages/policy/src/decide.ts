import type { ClientCertificateMode, ServerProtocol, ServerState, UserClass } from '@sallyport/model';
import { type EffectivePolicy, passwordRule } from './effective.ts';
import { type EntryRule, type ProofKind, type ProofSet, proofSets } from './proof-sets.ts';
import { encryptionFor } from './ssl-entry.ts';
import { classOf } from './user-class.ts';

/** The exact reason of a refusal: for the audit log, never for the wire. */
export type RefusalReason =
  | 'server-not-running'
  | 'tls-required'
  | 'unknown-account'
  | 'account-disabled'
  | 'account-locked'
  | 'locked-out'
  | 'password-wrong'
  | 'second-factor-wrong'
  | 'second-factor-missing'
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

/**
 * What a password came to. `failed` covers an account that has none; `locked-out`: too many were wrong, and none is
 * looked at for a while.
 */
export type PasswordFact = 'absent' | 'verified' | 'failed' | 'locked-out';

/** What the code of a second factor came to. */
export type SecondFactorFact = PasswordFact;

export type AccountFacts = {
  readonly id: string;
  readonly groups: readonly string[];
  readonly enabled: boolean;
  readonly locked: boolean;
  /** Whether the account has one. */
  readonly secondFactor: 'set' | 'none';
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
  readonly secondFactor: SecondFactorFact;
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

/**
 * The rule a login falls under: the server's, with `optional` raised to `required` by the account's class, and a second
 * factor where the class needs one or the account has one.
 */
export function entryRule(
  server: ServerFacts,
  policy: EffectivePolicy,
  userClass: UserClass | undefined,
  account: Pick<AccountFacts, 'secondFactor'>,
): EntryRule | 'certificate-required-not-requested' {
  const classRequires = isOf(policy.loginSettings.certificateClasses, userClass);
  if (classRequires && server.clientCertificate === 'disabled') return 'certificate-required-not-requested';
  return {
    clientCertificate: classRequires ? 'required' : server.clientCertificate,
    password: passwordRule(policy.loginSettings, userClass),
    clientPassword: server.clientPassword,
    secondFactor: isOf(policy.loginSettings.secondFactorClasses, userClass)
      ? 'always'
      : account.secondFactor === 'set'
        ? 'with-password'
        : 'none',
  };
}

const isOf = (classes: readonly string[], userClass: UserClass | undefined): boolean =>
  userClass !== undefined && classes.includes(userClass.id);

type Standing = {
  readonly standing: 'none' | 'invalid' | 'foreign' | 'own';
  readonly certificate?: string;
};

/** What the credential is to this account. Under `disabled` it is not looked at; to an unknown name all are foreign. */
function standingOf({ server, credential, account }: LoginFacts): Standing {
  if (server.clientCertificate === 'disabled' || credential.kind === 'none') return { standing: 'none' };
  if (credential.kind === 'invalid') return { standing: 'invalid' };
  const own = account && credential.registrations.find((registration) => registration.account === account.id);
  return own ? { standing: 'own', certificate: own.certificate } : { standing: 'foreign' };
}

const isBad = (standing: Standing['standing']): standing is 'invalid' | 'foreign' =>
  standing === 'invalid' || standing === 'foreign';

const badReason = (standing: 'invalid' | 'foreign') =>
  standing === 'foreign' ? 'credential-foreign' : 'credential-invalid';

/**
 * What the connection alone decides, before anybody is named or whoever is named: the same for every login name, so
 * that no answer to a name tells whether there is such an account.
 */
function refusedAtTheDoor(facts: LoginFacts, standing: Standing['standing']): RefusalReason | undefined {
  const { server, policy } = facts;
  if (server.state !== 'running') return 'server-not-running';
  const mustEncrypt =
    facts.channel === 'clear' &&
    encryptionFor(policy.sslEntries, policy.userClasses, { name: facts.name, source: facts.source }) ===
      'required';
  if (mustEncrypt) return 'tls-required';
  if (server.clientCertificate === 'disabled') return undefined;
  const required = server.clientCertificate === 'required';
  if (isBad(standing) && (required || policy.onInvalidCertificate === 'reject')) return badReason(standing);
  // Over TLS a certificate comes with the handshake or not at all.
  if (required && standing === 'none' && server.protocol !== 'ssh') return 'credential-missing';
  return undefined;
}

/** What a client can still bring while it has proved nothing: a matter of the server's mode alone. */
const firstProofs = ({ protocol, clientCertificate }: ServerFacts): readonly ProofKind[] => {
  if (protocol !== 'ssh' || clientCertificate === 'disabled') return ['password'];
  return clientCertificate === 'optional' ? ['credential', 'password'] : ['credential'];
};

/**
 * Decides a login: the one function that every protocol and `explain` ask (design section 4).
 * Pure: the same facts give the same decision. Nothing is proved here; adapters prove, this permits.
 *
 * Until a password was tried or a credential of the account proved, the decision rests on the connection alone: the
 * account and its class are looked at afterwards, so an unknown name and a known one meet the same answers.
 *
 * @returns `permit` with the proofs it rests on; `continue` with the proofs still missing, `partial` where one is
 *   already there; or `refuse` with the exact reason
 */
export function decide(facts: LoginFacts): Decision {
  const { server, policy, account } = facts;
  const refuse = (reason: RefusalReason): Decision => ({ kind: 'refuse', reason });

  const { standing, certificate } = standingOf(facts);
  const atTheDoor = refusedAtTheDoor(facts, standing);
  if (facts.password === 'absent' && standing !== 'own') {
    return atTheDoor ? refuse(atTheDoor) : { kind: 'continue', missing: firstProofs(server), partial: false };
  }
  if (atTheDoor === 'server-not-running' || atTheDoor === 'tls-required') return refuse(atTheDoor);
  if (facts.password === 'locked-out' || facts.secondFactor === 'locked-out') return refuse('locked-out');
  if (!account) return refuse('unknown-account');
  if (facts.password === 'failed') return refuse('password-wrong');
  if (facts.secondFactor === 'failed') return refuse('second-factor-wrong');
  if (atTheDoor) return refuse(atTheDoor);

  const userClass = classOf(policy.userClasses, {
    name: facts.name,
    source: facts.source,
    groups: account.groups,
  });
  // A class that cannot be told could be one that demands more.
  if (userClass === 'undetermined') return refuse('rules-admit-nobody');
  const rule = entryRule(server, policy, userClass, account);
  if (rule === 'certificate-required-not-requested') return refuse(rule);
  if (isBad(standing) && rule.clientCertificate === 'required') return refuse(badReason(standing));
  const sets = proofSets(rule);
  if (sets.length === 0) return refuse('rules-admit-nobody');
  if (!account.enabled) return refuse('account-disabled');
  if (account.locked) return refuse('account-locked');
  if (rule.secondFactor === 'always' && account.secondFactor === 'none')
    return refuse('second-factor-missing');

  const proved: ProofKind[] = [];
  if (facts.password === 'verified') proved.push('password');
  if (standing === 'own') proved.push('credential');
  if (facts.secondFactor === 'verified') proved.push('second-factor');
  if (sets.some((set) => set.every((kind) => proved.includes(kind)))) {
    return {
      kind: 'permit',
      proofs: proved,
      ...(certificate === undefined ? {} : { certificate }),
      ...(userClass === undefined ? {} : { userClass: userClass.id }),
      ...(isBad(standing) ? { ignoredCredential: badReason(standing) } : {}),
    };
  }
  // A password where none counts is not told to be right, and over TLS no credential can follow it.
  const passwordCounts = sets.some((set) => set.includes('password'));
  const canFollow = (set: ProofSet): boolean =>
    standing === 'own' || server.protocol === 'ssh' || !set.includes('credential');
  const reachable = sets.filter(canFollow);
  if (reachable.length === 0 || (standing !== 'own' && !passwordCounts)) return refuse('credential-missing');
  // The way that was begun is gone to its end; where what was proved leads nowhere alone, every way is open.
  const begun = reachable.filter((set) => proved.every((kind) => set.includes(kind)));
  const ways = begun.length > 0 ? begun : reachable;
  const missing = [...new Set(ways.flat())].filter((kind) => !proved.includes(kind));
  return { kind: 'continue', missing, partial: true };
}
