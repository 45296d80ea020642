import { equalConstantTime } from '@sallyport/bytes';
import { normalizedName, type ServingState } from '@sallyport/model';
import { type SshCertificate, sshFingerprint } from '@sallyport/pki';
import { type CredentialFact, type Decision, decide, type PasswordFact } from '@sallyport/policy';
import type { AccountRecord } from '@sallyport/snapshot/node';
import { filesOf } from './account-files.ts';
import type { CredentialStands, Doorway, LoginAttempt, LoginDesk, LoginOutcome } from './login.ts';
import type { VerifiedPasswords } from './password/cache.ts';
import type { PasswordVerifier } from './password/verifier.ts';
import { serverFacts } from './server-facts.ts';
import type { SessionRegistry } from './session-registry.ts';
import {
  isOfTrustedCa,
  judgeSshCertificate,
  type SshCertificateFacts,
  sshCertificateFacts,
} from './ssh-certificate-login.ts';
import { foreignSource, spkiDigestOf, sshCredentialOf } from './ssh-key-login.ts';
import type { ZoneView } from './zone-view.ts';

/** A login that was permitted or refused, for the event log: the exact reason, never a secret. */
export type LoginRecord = {
  readonly doorway: Doorway;
  readonly user: string;
  readonly outcome: 'permitted' | 'refused';
  readonly reason: string;
  readonly session?: string;
  readonly certificate?: string;
  /** Fingerprint of the SSH key that was proved. */
  readonly credential?: string;
  /** Version of the snapshot that decided. */
  readonly version: number;
  readonly sshCertificate?: SshCertificateFacts;
};

export type LoginDeskOptions = {
  readonly view: () => ZoneView;
  readonly serving: () => ServingState;
  readonly now: () => number;
  readonly passwords: PasswordVerifier;
  readonly verifiedPasswords: VerifiedPasswords;
  readonly sessions: SessionRegistry;
  /** Folder that holds the homes of all accounts. */
  readonly filesRoot: string;
  readonly record: (login: LoginRecord) => void;
};

const refusedLogin: LoginOutcome = { kind: 'refused', fault: 'login-refused' };

/** What an attempt has proved for one user name. */
type Proofs = {
  user: string;
  password: PasswordFact;
  passwordHash: string | undefined;
  sshKey: Proved | undefined;
};
type Proved = {
  readonly fact: CredentialFact;
  readonly stands: CredentialStands;
  readonly fingerprint: string;
  readonly sshCertificate?: SshCertificateFacts;
};

/** The login desk of this node: gathers facts, asks `decide`, opens sessions. */
export function createLoginDesk(options: LoginDeskOptions): LoginDesk {
  return { open: (doorway) => openAttempt(options, doorway) };
}

function openAttempt(options: LoginDeskOptions, doorway: Doorway): LoginAttempt {
  const { now } = options;
  let tls: { fact: CredentialFact; stands: CredentialStands | undefined } | undefined;
  let proofs: Proofs | undefined;

  /** Proofs belong to one user name: another name starts afresh. */
  function proofsOf(user: string): Proofs {
    if (proofs?.user !== user)
      proofs = { user, password: 'absent', passwordHash: undefined, sshKey: undefined };
    return proofs;
  }

  async function judge(
    view: ZoneView,
    account: AccountRecord | undefined,
    held: Proofs,
    shown: 'nothing' | 'proof',
    credential: CredentialFact,
    fingerprint = held.sshKey?.fingerprint,
  ): Promise<LoginOutcome> {
    const refuse = (reason: string): LoginOutcome => {
      if (shown === 'proof') {
        options.record({
          doorway,
          user: held.user,
          outcome: 'refused',
          reason,
          version: view.version,
          ...(fingerprint === undefined ? {} : { credential: fingerprint }),
        });
      }
      return refusedLogin;
    };
    const server = view.servers.find((running) => running.server.id === doorway.server)?.server;
    if (!server) return refuse('server-not-running');
    const decision = decide({
      server: serverFacts(server),
      policy: view.policy,
      channel: doorway.channel,
      name: normalizedName(held.user, view.policy.loginSettings.nameCase),
      source: doorway.source,
      account,
      password: held.password,
      credential,
    });
    switch (decision.kind) {
      case 'permit':
        return account
          ? admit(view, server.protocol, account, held, decision, refuse)
          : refuse('unknown-account');
      case 'continue':
        return decision;
      case 'refuse':
        refuse(decision.reason);
        return {
          kind: 'refused',
          fault: decision.reason === 'tls-required' ? 'tls-required' : 'login-refused',
        };
    }
  }

  async function admit(
    view: ZoneView,
    protocol: 'ssh' | 'ftp' | 'http',
    account: AccountRecord,
    held: Proofs,
    decision: Extract<Decision, { kind: 'permit' }>,
    refuse: (reason: string) => LoginOutcome,
  ): Promise<LoginOutcome> {
    if (options.serving() === 'refusing') return refuse('service-refusing');
    const files = await filesOf(options.filesRoot, account);
    if (!files) return refuse('home-unavailable');
    const session = options.sessions.open({
      protocol,
      server: doorway.server,
      source: doorway.source,
      channel: doorway.channel,
      account: {
        id: account.id,
        name: account.name,
        normalizedName: normalizedName(account.name, view.policy.loginSettings.nameCase),
      },
      userClass: decision.userClass,
      proofs: decision.proofs,
      passwordHash: held.passwordHash,
      credentialStands: held.sshKey?.stands ?? tls?.stands,
      credential: held.sshKey?.fingerprint,
      certificate: decision.certificate,
      files: files.files,
      home: account.home,
      regrant: files.regrant,
      maxSessions: account.limits.maxSessions,
    });
    if (!session) return refuse('session-limit');
    // Proofs may be older than the view: a key that was shown, a password that was verified or a certificate of the
    // handshake can be gone since. And a snapshot that is applied during all this has not seen the session.
    let judged: ZoneView;
    do {
      judged = options.view();
      if (!(await options.sessions.redecide(session, judged))) {
        session.close();
        return refuse('changed-meanwhile');
      }
    } while (judged !== options.view());
    options.record({
      doorway,
      user: account.name,
      outcome: 'permitted',
      reason: [...decision.proofs, ...(decision.ignoredCredential ? [decision.ignoredCredential] : [])].join(
        '+',
      ),
      session: session.id,
      version: judged.version,
      ...(held.sshKey === undefined ? {} : { credential: held.sshKey.fingerprint }),
      ...(decision.certificate === undefined ? {} : { certificate: decision.certificate }),
      ...(held.sshKey?.sshCertificate ? { sshCertificate: held.sshKey.sshCertificate } : {}),
    });
    return { kind: 'admitted', session };
  }

  const recordForeignSource = (view: ZoneView, user: string, keyBlob: Uint8Array): void =>
    options.record({
      doorway,
      user,
      outcome: 'refused',
      reason: foreignSource,
      credential: sshFingerprint(keyBlob),
      version: view.version,
    });

  const credentialOf = (held: Proofs): CredentialFact => held.sshKey?.fact ?? tls?.fact ?? { kind: 'none' };

  const refusedCertificates = new Set<string>();

  /** Judges a certificate for the account; one of a trusted CA that admits nobody is told to the operator, once. */
  async function judgeCertificate(
    view: ZoneView,
    user: string,
    account: AccountRecord,
    certificate: SshCertificate,
  ) {
    const verdict = await judgeSshCertificate(certificate, account, {
      view,
      source: doorway.source,
      now: now(),
    });
    if (verdict.kind === 'accepted' || !isOfTrustedCa(verdict)) return verdict;
    const facts = sshCertificateFacts(certificate, verdict);
    const told = `${user} ${facts.caFingerprint} ${facts.serial} ${verdict.reason}`;
    if (refusedCertificates.has(told)) return verdict;
    refusedCertificates.add(told);
    const reason = `ssh-certificate-${verdict.reason}`;
    options.record({
      doorway,
      user,
      outcome: 'refused',
      reason,
      credential: certificate.facts.sshFingerprint,
      sshCertificate: facts,
      version: view.version,
    });
    return verdict;
  }

  async function knowsCertificate(user: string, certificate: SshCertificate): Promise<boolean> {
    const view = options.view();
    const account = await view.accountNamed(user);
    return (
      account !== undefined && (await judgeCertificate(view, user, account, certificate)).kind === 'accepted'
    );
  }

  async function certificateLogin(user: string, certificate: SshCertificate): Promise<LoginOutcome> {
    const view = options.view();
    const account = await view.accountNamed(user);
    const held = proofsOf(user);
    const verdict = account && (await judgeCertificate(view, user, account, certificate));
    const ca = view.trust.sshCasAt(now()).find(({ key }) => equalConstantTime(key, certificate.ca));
    if (!account || !ca || verdict?.kind !== 'accepted') {
      const invalid = { kind: 'invalid', reason: 'ssh-certificate' } as const;
      return judge(view, account, held, 'proof', invalid, certificate.facts.sshFingerprint);
    }
    const proved: Proved = {
      fact: {
        kind: 'proved',
        registrations: [{ account: account.id, accountName: account.name, certificate: ca.id }],
      },
      stands: async (at) => {
        const still = await at.accountNamed(account.name);
        const circumstances = { view: at, source: doorway.source, now: now() };
        return (
          still !== undefined &&
          (await judgeSshCertificate(certificate, still, circumstances)).kind === 'accepted'
        );
      },
      fingerprint: certificate.facts.sshFingerprint,
      sshCertificate: sshCertificateFacts(certificate, verdict),
    };
    held.sshKey = proved;
    return judge(view, account, held, 'proof', proved.fact);
  }

  return {
    async name(user) {
      const view = options.view();
      const held = proofsOf(user);
      const credential = credentialOf(held);
      const shown = credential.kind === 'proved' ? 'proof' : 'nothing';
      return judge(view, await view.accountNamed(user), held, shown, credential);
    },

    async password(user, password) {
      const view = options.view();
      const account = await view.accountNamed(user);
      const held = proofsOf(user);
      const hash = account?.passwordHash;
      const protocol = view.servers.find((running) => running.server.id === doorway.server)?.server.protocol;
      const cached =
        protocol === 'http' &&
        hash !== undefined &&
        options.verifiedPasswords.has(account?.id ?? '', hash, password);
      const verification = cached
        ? 'verified'
        : await options.passwords.verify(hash, password, doorway.source);
      if (verification === 'busy') {
        options.record({
          doorway,
          user,
          outcome: 'refused',
          reason: 'password-queue-full',
          version: view.version,
        });
        return refusedLogin;
      }
      held.password = verification === 'verified' ? 'verified' : 'failed';
      held.passwordHash = verification === 'verified' ? hash : undefined;
      if (verification === 'verified' && account && hash !== undefined && protocol === 'http' && !cached) {
        options.verifiedPasswords.add(account.id, hash, password);
      }
      const outcome = await judge(view, account, held, 'proof', credentialOf(held));
      // A wrong password is spent: the next one is judged on its own.
      if (held.password === 'failed') held.password = 'absent';
      return outcome;
    },

    async knowsSshKey(user, keyBlob, certificate) {
      if (certificate) return knowsCertificate(user, certificate);
      const spkiSha256 = spkiDigestOf(keyBlob);
      if (spkiSha256 === undefined) return false;
      const view = options.view();
      const account = await view.accountNamed(user);
      const credential = sshCredentialOf(account, spkiSha256, doorway.source, view, now());
      // A client that is not told to sign is heard of no more: whoever looks for the reason finds it here.
      if (credential === foreignSource) recordForeignSource(view, user, keyBlob);
      return typeof credential !== 'string';
    },

    async sshKey(user, keyBlob, certificate) {
      if (certificate) return certificateLogin(user, certificate);
      const view = options.view();
      const account = await view.accountNamed(user);
      const held = proofsOf(user);
      const spkiSha256 = spkiDigestOf(keyBlob);
      const credential =
        spkiSha256 === undefined
          ? 'not registered on the account'
          : sshCredentialOf(account, spkiSha256, doorway.source, view, now());
      if (!account || typeof credential === 'string' || spkiSha256 === undefined) {
        // Clients offer every key they have: one that is not this account's proves nothing and spoils nothing.
        const reason = typeof credential === 'string' ? credential : 'not registered on the account';
        const fact = { kind: 'invalid', reason } as const;
        const outcome = await judge(view, account, held, 'proof', fact, sshFingerprint(keyBlob));
        if (credential === foreignSource && outcome.kind === 'continue')
          recordForeignSource(view, user, keyBlob);
        return outcome;
      }
      held.sshKey = {
        fingerprint: sshFingerprint(keyBlob),
        fact: {
          kind: 'proved',
          registrations: [
            { account: account.id, accountName: account.name, certificate: credential.certificate },
          ],
        },
        async stands(at) {
          const then = await at.accountNamed(account.name);
          return typeof sshCredentialOf(then, spkiSha256, doorway.source, at, now()) !== 'string';
        },
      };
      return judge(view, account, held, 'proof', held.sshKey.fact);
    },

    tlsCredential(fact, stands) {
      tls = { fact, stands };
    },
  };
}
